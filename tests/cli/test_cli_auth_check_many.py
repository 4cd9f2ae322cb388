"""smtpdoc auth-check with many domains: pages for a few, rows for more, numbers at the end, one JSON array."""

import io
import json
from pathlib import Path

import pytest
from support.command import Smtpdoc

ZONE = str(Path(__file__).parents[1] / "data" / "bulk" / "bulk.zone")
NAMES = [f"bulk{number:03}.test" for number in range(8)]


@pytest.fixture
def listed(tmp_path: Path) -> str:
    """A list as people keep it: from Windows, with comments and blank lines."""
    path = tmp_path / "domains.txt"
    path.write_text("\ufeff# ours\r\n" + "\r\n".join(NAMES) + "\r\n\r\n", encoding="utf-8")
    return str(path)


def test_a_few_domains_get_a_page_each_and_the_table_below(smtpdoc: Smtpdoc) -> None:
    out = smtpdoc("auth-check", *NAMES[:3], "--zone", ZONE).out
    pages, _, table = out.rpartition("\n  domain  ")

    assert 3 == pages.count("SPF tree")
    assert [f"{mark} {name}" for mark, name in zip("▲·▲", NAMES, strict=False)] == [
        line[:14] for line in table.splitlines()[1:4]
    ]
    assert "3 domains in" in table


def test_one_domain_has_no_table(smtpdoc: Smtpdoc) -> None:
    assert "worst finding" not in smtpdoc("auth-check", NAMES[0], "--zone", ZONE).out


def test_many_domains_get_a_row_each_in_their_order(smtpdoc: Smtpdoc, listed: str) -> None:
    ran = smtpdoc("auth-check", "--from-file", listed, "--zone", ZONE)
    head, *rows = ran.out.splitlines()

    assert ["domain", "MX", "SPF", "DKIM", "DMARC", "worst"] == head.split()[:6]
    assert NAMES == [row.split()[1] for row in rows[:8]]
    assert ["▲", "bulk000.test", "3", "4", "~all", "1", "p=none"] == rows[0].split()[:7]
    assert "dmarc.policy-none" in rows[0]
    assert "SPF tree" not in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def test_the_numbers_at_the_end_name_what_is_frequent_and_the_next_command(smtpdoc: Smtpdoc, listed: str) -> None:
    out = smtpdoc("auth-check", "nosuch.test", "--from-file", listed, "--zone", ZONE).out

    assert "9 domains in" in out
    assert "1 with errors" in out
    assert "▲     4  dmarc.policy-none" in out
    assert "  smtpdoc auth-check nosuch.test" in out.splitlines()


def test_verbose_gives_every_page(smtpdoc: Smtpdoc, listed: str) -> None:
    out = smtpdoc("auth-check", "--from-file", listed, "--zone", ZONE, "--verbose").out

    assert 8 == out.count("SPF tree")
    assert "worst finding" in out


def test_quiet_gives_a_line_each(smtpdoc: Smtpdoc, listed: str) -> None:
    assert 8 == len(smtpdoc("auth-check", "--from-file", listed, "--zone", ZONE, "--quiet").out.splitlines())


def test_a_dash_reads_stdin(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("bulk001.test\n"))

    ran = smtpdoc("auth-check", "bulk000.test", "-", "--zone", ZONE, "--format", "jsonl")

    assert ["bulk000.test", "bulk001.test"] == [line["target"] for line in ran.lines]


def test_rows_of_domains_without_anything_say_so(smtpdoc: Smtpdoc, tmp_path: Path) -> None:
    zone = tmp_path / "t.zone"
    records = [
        "@ 60 IN SOA ns hostmaster 1 2 3 4 5",
        "null 60 IN MX 0 .",
        'null 60 IN TXT "v=spf1 -all"',
        '_dmarc.null 60 IN TXT "v=DMARC1; p=reject; sp=none"',
        "implicit 60 IN A 192.0.2.1",
        'broken 60 IN TXT "v=spf1 ip:192.0.2.1 -all"',
        "broken 60 IN MX 10 broken",
        '_dmarc.broken 60 IN TXT "v=DMARC1; p=none"',
        '_dmarc.broken 60 IN TXT "v=DMARC1; p=reject"',
        'below 60 IN TXT "v=spf1 redirect=null.test"',
    ]
    zone.write_text("$ORIGIN test.\n" + "\n".join(records) + "\n", encoding="utf-8")
    names = ["null.test", "implicit.test", "broken.test", "below.test", "x.test", "y.test"]

    rows = smtpdoc("auth-check", *names, "--zone", str(zone), "--nameserver", "127.0.0.1:9").out.splitlines()[1:]
    cells = {row.split()[1]: row[15:55].split() for row in rows[:6]}

    assert ["null", "0", "-all", "none", "p=reject"] == cells["null.test"]
    assert ["no", "MX", "none", "none", "none"] == cells["implicit.test"]
    assert ["1", "permerror", "none", "invalid"] == cells["broken.test"]
    assert ["none", "1", "-all", "none", "none"] == cells["below.test"]


def test_json_is_one_array_also_when_it_is_empty(smtpdoc: Smtpdoc, listed: str) -> None:
    ran = smtpdoc("auth-check", "--from-file", listed, "--zone", ZONE, "--json")

    assert NAMES == [report["target"] for report in ran.json]
    assert ran.out == json.dumps(ran.json, indent=2, ensure_ascii=False) + "\n"
    assert [] == smtpdoc("auth-check", "no domain", "nor this", "--zone", ZONE, "--json").json


def test_reports_are_printed_as_soon_as_they_are_known(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the end, in no format: a long list must not gather in memory."""
    written: list[str] = []

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return super().write(text)

    for format_ in ("text", "json", "jsonl"):
        written.clear()
        monkeypatch.setattr("sys.stdout", Watched())
        smtpdoc("auth-check", *NAMES, "--zone", ZONE, "--format", format_)

        assert len([text for text in written if "bulk00" in text]) >= 8


def test_a_list_of_one_is_still_an_array(smtpdoc: Smtpdoc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("bulk001.test\n"))

    assert ["bulk001.test"] == [
        report["target"] for report in smtpdoc("auth-check", "-", "--zone", ZONE, "--json").json
    ]
