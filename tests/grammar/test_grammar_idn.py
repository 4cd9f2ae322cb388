"""Names in all scripts become the labels that DNS holds."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpdoc.grammar.idn import IdnParseError, ascii_name, readable_name, unicode_name


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("straße.example", "xn--strae-oqa.example"),  # not strasse.example, as IDNA 2003 has it
        ("STRAẞE.Example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),  # a final sigma is a letter of its own
        ("ΒΌΛΟΣ.example", "xn--nxasmq6b.example"),  # capitals say nothing about it: UTS 46 takes the plain one
        ("bu\u0308cher.example", "xn--bcher-kva.example"),  # composed
        ("क्\u200dष.example", "xn--11b2ezcw70k.example"),  # a joiner where it makes a difference
        ("bücher。example．com｡", "xn--bcher-kva.example.com."),  # the dots of other keyboards
        ("ｅｘａｍｐｌｅ.com", "example.com"),
        ("ｘn--bcher-kva.example", "xn--bcher-kva.example"),
        ("p\u0430ypal.example", "xn--pypal-4ve.example"),  # one Cyrillic letter: allowed, and another name
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ("bücher.xn--a.example", "xn--bcher-kva.xn--a.example"),  # DNS can hold it
        ("יבמ.example", "xn--5dbpq.example"),
        ("", ""),
    ],
)
def test_labels_as_dns_holds_them(written: str, expected: str) -> None:
    assert expected == ascii_name(written)
    assert expected == ascii_name(unicode_name(written))


def test_names_for_people_keep_their_letters() -> None:
    assert unicode_name("_dmarc.STRAẞE。Example") == "_dmarc.straße.example"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("i❤.example", "❤ (U+2764)"),  # UTS 46 alone would take it, IDNA 2008 has no symbols
        ("a\u200db.example", "U+200D"),  # a joiner that makes no difference
        ("l·a.example", "· (U+00B7)"),
        ("faß_x.example", "_ (U+005F)"),
        ("½.example", "U+2044"),
        ("\ud800.example", "U+D800"),
        ("a\u202eü.example", "U+202E"),
        ("א1a.example", "IDNA 2008"),  # two directions in one label
        ("-ü.example", "IDNA 2008"),
        ("ab--ü.example", "IDNA 2008"),
        ("á" * 60 + ".example", "63 octets"),
        ("á" * 2_000_000, "253 octets"),
    ],
)
def test_what_is_no_name_is_refused_with_the_reason(written: str, says: str) -> None:
    with pytest.raises(IdnParseError) as caught:
        ascii_name(written)

    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("xn--strae-oqa.example", "straße.example"),
        ("mail.xn--bcher-kva.example", "mail.bücher.example"),
        ("example.com", None),
        ("xn--a.example", None),  # a control character
        ("xn--i-7iq.example", None),  # ❤, which IDNA 2008 does not allow
        ("xn--strasse-.example", None),
        ("xn--.example", None),
    ],
)
def test_a_name_is_shown_in_its_own_letters_only_where_they_lead_back_to_it(name: str, expected: str | None) -> None:
    assert expected == readable_name(name)


@given(st.text(max_size=60))
def test_whatever_is_written_gives_a_name_of_ascii_labels_or_an_error(text: str) -> None:
    try:
        name = ascii_name(text)
    except IdnParseError:
        return

    assert name.isascii()
    assert name == ascii_name(name)


@given(st.text(st.characters(codec="ascii"), max_size=20).map("xn--{}.example".format))
def test_whatever_dns_holds_can_be_shown_or_not(name: str) -> None:
    written = readable_name(name)

    assert written is None or ascii_name(written) == name


def test_names_in_ascii_load_nothing_for_it() -> None:
    program = "import sys, smtpdoc.target as t; t.parse_target('Mx.Example:25'); print('idna' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)

    assert ran.stdout == "False\n"
