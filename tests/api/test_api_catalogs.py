"""The user's catalog files, as a library and as a probe use them."""

from pathlib import Path

import pytest

import smtpdoc
from smtpdoc.api.catalogs import MAX_FILE_BYTES
from smtpdoc.api.recorder import Recorder
from smtpdoc.errors import CatalogFileError
from smtpdoc.evidence.explanation import ExplainEvidence
from smtpdoc.evidence.smtp import Exchange, Stage
from smtpdoc.grammar.reply import parse_reply


def file(folder: Path, name: str, title: str) -> Path:
    path = folder / name
    path.write_text(f'[[reply]]\nid = "a.b"\nreason = "policy"\ntitle = "{title}"\ntext = "zorp"\n')
    return path


def test_a_later_file_beats_an_earlier_one(tmp_path: Path) -> None:
    own = smtpdoc.load_catalog(file(tmp_path, "1.toml", "one"), file(tmp_path, "2.toml", "two"))

    evidence = smtpdoc.explain("550 zorp", catalog=own).evidence

    assert isinstance(evidence, ExplainEvidence)
    assert evidence.explanation is not None
    assert "two" == evidence.explanation.title


def test_a_probe_explains_with_the_users_entries(tmp_path: Path) -> None:
    recorder = Recorder(catalog=smtpdoc.load_catalog(file(tmp_path, "own.toml", "ours")))
    recorder.exchange(Exchange(Stage.RCPT, "RCPT TO:<bob@example.net>", parse_reply("550 zorp"), None, False, 0.1))

    explanation = recorder.exchanges[0].explanation

    assert explanation is not None
    assert "ours" == explanation.title


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (MAX_FILE_BYTES + 1))

    with pytest.raises(CatalogFileError, match=r"large\.toml is larger than"):
        smtpdoc.load_catalog(large)
    with pytest.raises(CatalogFileError, match=r"cannot read the catalog .*none\.toml: No such file"):
        smtpdoc.load_catalog(tmp_path / "none.toml")
