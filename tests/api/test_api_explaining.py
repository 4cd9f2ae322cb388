"""Replies of a session are explained with what the session tells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sessions import exchange

from smtpdoc.api.explaining import Explainer
from smtpdoc.evidence.smtp import Stage


@pytest.mark.parametrize(("mechanism", "advised"), [("PLAIN", True), ("XOAUTH2", False), ("EXTERNAL", False)])
def test_a_refused_token_comes_without_advice_on_passwords(mechanism: str, advised: bool) -> None:
    refused = exchange(Stage.AUTH, "535 5.7.8 Authentication failed", command=f"AUTH {mechanism} (hidden)")
    explanation = Explainer(server="mx.example.net:587", login="alice").explained(refused).explanation

    assert explanation is not None
    assert explanation.reason == "auth-failed"
    assert advised == bool(explanation.steps) == bool(explanation.commands)


def test_an_answer_to_an_unknown_command_is_explained_by_itself() -> None:
    other = replace(exchange(Stage.RCPT, "502 5.5.1 Command not implemented"), stage=Stage.OTHER)
    explanation = Explainer().explained(other).explanation

    assert explanation is not None
    assert explanation.reply.code == 502
