"""Which name servers are asked when the user names none, and how the user names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpdoc.errors import TargetError
from smtpdoc.net.dns import open_resolver
from smtpdoc.net.nameservers import NameServer, parse_nameserver, system_nameservers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 192.0.2.53\n", ("192.0.2.53",)),
        ("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameserver\t2001:db8::53 trailing\n", ("2001:db8::53",)),
        ("search example.com\nnameserver fe80::1%eth0\noptions edns0\n", ("fe80::1%eth0",)),
        ("nameserver ns.example\nnameserver 192.0.2.53\n", ("192.0.2.53",)),
        ("".join(f"nameserver 192.0.2.{number}\n" for number in range(1, 6)), ("192.0.2.1", "192.0.2.2", "192.0.2.3")),
        ("", ("127.0.0.1",)),
        ("nameserver", ("127.0.0.1",)),
        ("\xff\x00nameserver", ("127.0.0.1",)),
    ],
)
def test_resolv_conf_names_up_to_three_servers_else_the_own_machine(
    text: str, expected: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text(text, encoding="latin-1")

    assert tuple(map(NameServer, expected)) == system_nameservers(path)


def test_without_resolv_conf_the_own_machine_is_asked(tmp_path: Path) -> None:
    assert (NameServer("127.0.0.1"),) == system_nameservers(tmp_path / "missing")


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.53", "192.0.2.53", 53),
        (" 192.0.2.53:5353 ", "192.0.2.53", 5353),
        ("2001:DB8::53", "2001:db8::53", 53),
        ("[2001:db8::53]", "2001:db8::53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("fe80::1%eth0", "fe80::1%eth0", 53),
    ],
)
def test_a_server_is_an_address_with_or_without_a_port(text: str, address: str, port: int) -> None:
    assert NameServer(address, port) == parse_nameserver(text)


@pytest.mark.parametrize(
    "text",
    ["", "dns.example", "dns.example:53", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:٣", "[2001:db8::1", "[::1]x"],
)
def test_anything_else_is_refused_with_what_was_written(text: str) -> None:
    with pytest.raises(TargetError) as raised:
        parse_nameserver(text)

    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(
    ("servers", "over_network"),
    [
        (["127.0.0.53"], False),
        (["[::1]:5353", "127.0.0.1"], False),
        (["192.0.2.53"], True),
        (["127.0.0.1", "192.0.2.53"], True),
    ],
)
def test_whose_word_on_dnssec_crosses_the_network(servers: list[str], over_network: bool) -> None:
    assert over_network is open_resolver(nameservers=servers).over_network
