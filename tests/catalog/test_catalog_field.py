"""Replies from the field, collected and labelled after the catalog was written: see tests/data/replies/README.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smtpdoc.catalog.explain import explain
from smtpdoc.grammar.reply import parse_reply

FIELD = Path(__file__).parents[1] / "data" / "replies" / "field.jsonl"
ROWS = [json.loads(line) for line in FIELD.read_text(encoding="utf-8").splitlines()]


def test_there_are_enough_rows_each_with_its_source() -> None:
    assert len(ROWS) >= 490
    assert len(ROWS) == len({row["reply"] for row in ROWS})
    assert all(row["source"] for row in ROWS)


def test_replies_of_the_field_are_explained() -> None:
    wrong = [
        (row["reason"], found, row["reply"][:120])
        for row in ROWS
        if (found := explain(parse_reply(row["reply"])).reason) != row["reason"]
    ]

    assert len(wrong) <= 0.02 * len(ROWS), wrong


def test_who_wrote_them_is_told_and_seldom_made_up() -> None:
    named = [row for row in ROWS if row["provider"]]
    others = [row for row in ROWS if not row["provider"]]
    right = sum(explain(parse_reply(row["reply"])).provider == row["provider"] for row in named)
    made_up = sum(explain(parse_reply(row["reply"])).provider is not None for row in others)

    assert right >= 0.85 * len(named)
    assert made_up <= 0.10 * len(others)


#: Words in the languages of servers.
LANGUAGES = [
    ("550 Empfänger unbekannt", "user-unknown"),
    ("550 Unbekannter Benutzer", "user-unknown"),
    ("552 Das Postfach des Empfängers ist voll", "mailbox-full"),
    ("550 Speicherplatz erschöpft", "mailbox-full"),
    ("550 Das Konto wurde gesperrt", "mailbox-disabled"),
    ("554 Nachricht als Spam erkannt", "spam-content"),
    ("530 Authentifizierung erforderlich", "auth-required"),
    ("554 Weiterleitung nicht erlaubt", "relay-denied"),
    ("451 Bitte später erneut versuchen", "server-unavailable"),
    ("552 Nachricht ist zu groß", "message-too-big"),
    ("550 Utilisateur inconnu", "user-unknown"),
    ("550 L'adresse n'existe pas", "user-unknown"),
    ("552 Boîte aux lettres pleine", "mailbox-full"),
    ("550 Compte désactivé", "mailbox-disabled"),
    ("550 Message rejeté comme spam", "spam-content"),
    ("530 Authentification requise", "auth-required"),
    ("451 Veuillez réessayer plus tard", "server-unavailable"),
    ("554 Relais refusé", "relay-denied"),
    ("550 Usuario desconocido", "user-unknown"),
    ("550 El usuario no existe", "user-unknown"),
    ("552 El buzón está lleno", "mailbox-full"),
    ("550 Cuenta suspendida", "mailbox-disabled"),
    ("530 Autenticación requerida", "auth-required"),
    ("451 Inténtelo de nuevo más tarde", "server-unavailable"),
    ("550 Mensaje rechazado por spam", "spam-content"),
    ("550 Usuário desconhecido", "user-unknown"),
    ("550 Destinatário não existe", "user-unknown"),
    ("552 Caixa postal cheia", "mailbox-full"),
    ("550 Conta desativada", "mailbox-disabled"),
    ("451 Tente novamente mais tarde", "server-unavailable"),
    ("550 Utente sconosciuto", "user-unknown"),
    ("550 Questo indirizzo non esiste", "user-unknown"),
    ("552 Casella piena", "mailbox-full"),
    ("550 Casella disattivata", "mailbox-disabled"),
    ("451 Riprovare più tardi", "server-unavailable"),
    ("550 Gebruiker onbekend", "user-unknown"),
    ("550 Adres bestaat niet", "user-unknown"),
    ("552 Mailbox is vol", "mailbox-full"),
    ("451 Probeer het later opnieuw", "server-unavailable"),
    ("550 Nieznany użytkownik", "user-unknown"),
    ("550 Konto nie istnieje", "user-unknown"),
    ("552 Skrzynka jest przepełniona", "mailbox-full"),
    ("550 Konto zablokowane", "mailbox-disabled"),
    ("451 Spróbuj ponownie później", "server-unavailable"),
    ("550 Пользователь не найден", "user-unknown"),
    ("550 нет такого пользователя", "user-unknown"),
    ("552 Почтовый ящик переполнен", "mailbox-full"),
    ("550 Аккаунт заблокирован", "mailbox-disabled"),
    ("554 Письмо отклонено как спам", "spam-content"),
    ("451 Повторите попытку позже", "server-unavailable"),
    ("550 宛先が存在しません", "user-unknown"),
    ("550 ユーザーが見つかりません", "user-unknown"),
    ("552 メールボックスの容量超過", "mailbox-full"),
    ("550 迷惑メールとして拒否されました", "spam-content"),
    ("451 しばらくしてから再度お試しください", "server-unavailable"),
    ("550 用户不存在", "user-unknown"),
    ("550 收件人不存在", "user-unknown"),
    ("552 邮箱已满", "mailbox-full"),
    ("550 账号被禁用", "mailbox-disabled"),
    ("554 邮件被判为垃圾邮件", "spam-content"),
    ("451 请稍后再试", "server-unavailable"),
]


@pytest.mark.parametrize(("text", "reason"), LANGUAGES)
def test_common_words_of_other_languages(text: str, reason: str) -> None:
    assert reason == explain(parse_reply(text)).reason
