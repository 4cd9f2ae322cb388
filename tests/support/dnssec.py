"""Signed zones on NSD, and unbound as the resolver that validates them, from Debian's packages, run as ourselves.

The root of these zones is one of ours too: unbound trusts its key and asks nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from support.nameserver import free_port, nsd, program, running

_ALGORITHM = "ECDSAP256SHA256"
_HEAD = """$TTL 300
@ SOA ns hostmaster 1 7200 3600 1209600 300
@ NS ns
ns A 127.0.0.1
"""
_DAY_S = 86_400

_Key: TypeAlias = tuple[ec.EllipticCurvePrivateKey, DNSKEY]


@dataclass(frozen=True, slots=True)
class Apex:
    """A zone that is delegated from the root: its records, and how it is signed.

    `signed`: with a DS at the root. `forgotten`: signed, and the root has no DS. `expired`: signatures of last month.
    `wrong_ds`: the root has that of another key. `nsec3`: denial by hashes. `forged`: what is put in the place of what,
    after signing.
    """

    records: str
    signed: bool = True
    forgotten: bool = False
    expired: bool = False
    wrong_ds: bool = False
    nsec3: bool = False
    forged: tuple[str, str] | None = None


@contextmanager
def validating(zones: Mapping[str, Apex], folder: Path, *, validates: bool = True) -> Iterator[str]:
    """Serve zones by their names; yields the address of a resolver that validates them, or does not.

    Skips the test when NSD or unbound is not installed, or fails it when SMTPDOC_REQUIRE_SERVERS=1.
    """
    texts, anchor = _signed_tree(zones)
    executable = program("unbound")
    port = free_port()
    configuration = folder / "unbound.conf"
    with nsd(texts, folder) as server:
        text = _configuration(texts, server, port, anchor if validates else None)
        configuration.write_text(text, encoding="utf-8")
        with running([executable, "-d", "-c", str(configuration)], port, folder / "unbound.log"):
            yield f"127.0.0.1:{port}"


def _configuration(zones: Iterable[str], server: str, port: int, anchor: str | None) -> str:
    """Let unbound ask `server` for these zones, and nobody else."""
    text = f"""server:
    interface: 127.0.0.1@{port}
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: no
    do-ip6: no
    ede: yes
    module-config: "{"iterator" if anchor is None else "validator iterator"}"
"""
    text += "" if anchor is None else f'    trust-anchor: "{anchor}"\n'
    for name in zones:
        text += f'stub-zone:\n    name: "{name}"\n    stub-addr: {server.replace(":", "@")}\n'
    return text


def _signed_tree(zones: Mapping[str, Apex]) -> tuple[dict[str, str], str]:
    """Return the zone files by their names, the root's among them, and the root's DS."""
    texts: dict[str, str] = {}
    delegations: list[str] = []
    for name, apex in zones.items():
        delegations += [f"{name}. NS ns.{name}.", f"ns.{name}. A 127.0.0.1"]
        if not apex.signed:
            texts[name] = f"$ORIGIN {name}.\n{_HEAD}{apex.records}"
            continue
        texts[name], ds = _signed(name, f"{_HEAD}{apex.records}", expired=apex.expired, nsec3=apex.nsec3)
        if apex.forged is not None:
            assert apex.forged[0] in texts[name]
            texts[name] = texts[name].replace(*apex.forged)
        if apex.wrong_ds:
            ds = _ds(name, _key()[1])
        if not apex.forgotten:
            delegations.append(f"{name}. {ds}")
    texts["."], anchor = _signed(".", _HEAD + "".join(f"{line}\n" for line in delegations))
    return texts, f". {anchor}"


def _key() -> _Key:
    private = ec.generate_private_key(ec.SECP256R1())
    return private, dns.dnssec.make_dnskey(private.public_key(), _ALGORITHM, flags=257)


def _ds(name: str, key: DNSKEY) -> str:
    return f"DS {dns.dnssec.make_ds(dns.name.from_text(name), key, 'SHA256').to_text()}"


def _signed(name: str, text: str, *, expired: bool = False, nsec3: bool = False) -> tuple[str, str]:
    """Return the zone file with signatures, and the DS record of its key."""
    zone = dns.zone.from_text(text, origin=dns.name.from_text(name), relativize=False, check_origin=False)
    key = _key()
    begin = int(time.time()) - (40 * _DAY_S if expired else _DAY_S)
    end = begin + 30 * _DAY_S
    if nsec3:
        _sign_with_nsec3(zone, key, begin, end)
    else:
        dns.dnssec.sign_zone(zone, keys=[key], inception=begin, expiration=end)
    return zone.to_text(relativize=False), _ds(name, key[1])


def _sign_with_nsec3(zone: dns.zone.Zone, key: _Key, begin: int, end: int) -> None:
    """Sign, and prove with hashes what is not there (RFC 5155 section 7.1); for zones without delegations.

    dnspython signs with NSEC alone.
    """
    private, public = key
    assert zone.origin is not None
    origin = zone.origin
    with zone.writer() as writer:
        writer.add(origin, 300, public)
        writer.add(origin, 300, dns.rdata.from_text("IN", "NSEC3PARAM", "1 0 0 -"))
        types = {name: {rdataset.rdtype for rdataset in writer.get_node(name)} for name in writer.iterate_names()}
        for name in tuple(types):
            while (name := name.parent()) != origin and name.is_subdomain(origin):
                types.setdefault(name, set())  # empty non-terminals
        hashed = sorted((dns.dnssec.nsec3_hash(name, "", 0, 1), name) for name in types)
        for number, (digest, name) in enumerate(hashed):
            following = hashed[(number + 1) % len(hashed)][0]
            listed = " ".join(map(dns.rdatatype.to_text, sorted(types[name]))) + (" RRSIG" if types[name] else "")
            proof = dns.rdata.from_text("IN", "NSEC3", f"1 0 0 - {following} {listed}")
            writer.add(dns.name.from_text(digest, origin), 300, proof)
        for name in tuple(writer.iterate_names()):
            for rdataset in writer.get_node(name):
                rrset = dns.rrset.from_rdata(name, rdataset.ttl, *rdataset)
                signature = dns.dnssec.sign(rrset, private, origin, public, begin, end, origin=origin)
                writer.add(name, rdataset.ttl, signature)
