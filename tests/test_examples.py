"""The examples run."""

import subprocess
import sys
from pathlib import Path

import smtpdoc
from smtpdoc.evidence.explanation import ExplainEvidence

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_explain_replies_sorts_addresses() -> None:
    ran = run(
        "explain_replies.py",
        text="a@example.com\t550 5.1.1 User unknown\nb@example.com\t452 4.2.2 Mailbox full\nc@example.com\t???\n",
    )

    assert 0 == ran.returncode, ran.stderr
    first, second, third = ran.stdout.splitlines()
    assert first.startswith("a@example.com\tsuppress")
    assert second.startswith("b@example.com\tretry in 3600 s")
    assert third == "c@example.com\tlook\tno reply in this line"


def test_the_catalog_is_read_and_each_of_its_replies_explained_its_way() -> None:
    own = smtpdoc.load_catalog(EXAMPLES / "catalog.toml")

    assert ["acme.held-by-policy", "acme.maintenance", "gmail.mailbox-full"] == [entry.id for entry in own.entries]
    for reply, entry_id in (
        ("550 5.7.1 Message held by ACME policy 4711", "acme.held-by-policy"),
        ("421 4.3.90", "acme.maintenance"),
        ("452 4.2.2 The email account that you tried to reach is over quota", "gmail.mailbox-full"),
    ):
        evidence = smtpdoc.explain(reply, catalog=own).evidence

        assert isinstance(evidence, ExplainEvidence)
        assert evidence.explanation is not None
        assert entry_id == evidence.explanation.entries[0]


def test_check_domains_refuses_what_is_no_domain() -> None:
    ran = run("check_domains.py", "not a domain")

    assert 0 != ran.returncode
    assert "not a domain" in ran.stderr
