"""The rooms of the house and which of them may know which; what `explain` loads; why each dependency is there.

Reads the source with `ast`, so that imports inside functions and under TYPE_CHECKING count as well: a room that names
another one knows it, whenever the import runs. A module named by a string (importlib) is not seen.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "smtpdoc"

#: Room (a module or a package of smtpdoc) → the rooms it may import from, besides itself.
MAY_KNOW = {
    "version": set[str](),
    "errors": set[str](),
    "findings": set[str](),
    "grammar": {"errors"},
    "target": {"errors", "grammar"},
    "evidence": {"findings", "grammar"},
    "seams": {"errors", "evidence", "findings", "grammar", "target"},
    "catalog": {"errors", "evidence", "findings", "grammar"},
    "gather": {"errors", "evidence", "findings", "grammar", "seams", "target"},
    "net": {"errors", "evidence", "findings", "grammar", "seams", "target"},
    "report": {"evidence", "findings", "version"},
    "render": {"catalog", "evidence", "findings", "grammar", "report", "version"},
    "api": {
        *("aio", "catalog", "errors", "evidence", "findings", "gather"),
        *("grammar", "net", "report", "seams", "target", "version"),
    },
    "aio": {"api", "report"},
    "demo": {
        *("aio", "api", "catalog", "errors", "evidence", "findings", "grammar"),
        *("net", "render", "report", "seams", "target", "version"),
    },
    "cli": {
        *("aio", "api", "demo", "errors", "evidence", "findings"),
        *("grammar", "render", "report", "target", "version"),
    },
    "__init__": {"aio", "api", "errors", "evidence", "findings", "grammar", "report", "target", "version"},
    "__main__": {"cli"},
}

_NETWORK = {"net", "api", "aio", "demo"}

#: Packages that open windows to the world, the terminal or the command line → the rooms that may name them.
WINDOWS = {
    "asyncio": _NETWORK,
    "ssl": _NETWORK,
    "socket": _NETWORK,
    "select": _NETWORK,
    "selectors": _NETWORK,
    "dns": _NETWORK,
    "aiosmtplib": _NETWORK,
    "http": {"net", "demo"},
    "urllib.request": {"net", "demo"},
    "smtplib": set[str](),  # aiosmtplib is our client
    "aiosmtpd": {"demo"},
    "cryptography": {"net", "demo"},
    "idna": {"grammar"},  # grammar/idn.py: names become A-labels in one place
    "encodings.idna": set[str](),
    "rich": {"render"},
    "click": {"cli"},
}

#: What `explain` must not load: nothing of it is needed to read a reply, and each costs its start-up time.
NOT_FOR_EXPLAIN = {
    *("asyncio", "ssl", "_ssl", "socket", "_socket", "selectors"),  # "socket-using" begins with socket itself
    *("dns", "aiosmtplib", "aiosmtpd", "cryptography", "idna"),
}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield each source file with its room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path


def imported(source: str) -> Iterator[str]:
    """Yield the dotted names that a source imports; `from a import b` gives "a.b".

    >>> list(imported("from smtpdoc import api\\nimport dns.resolver"))
    ['smtpdoc.api', 'dns.resolver']
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden(room: str, source: str) -> list[str]:
    """Return the imports that a source in this room must not have, in their order."""
    found = []
    for name in imported(source):
        package, _, rest = name.partition(".")
        if package == "smtpdoc":
            other = rest.partition(".")[0]
            if other in MAY_KNOW and other != room and other not in MAY_KNOW[room]:
                found.append(name)
        else:
            windows = (window for window in WINDOWS if f"{name}.".startswith(f"{window}."))
            found += [name for window in windows if room not in WINDOWS[window]]
    return found


@pytest.mark.parametrize(("room", "path"), list(modules()), ids=lambda value: str(value).removeprefix(f"{PACKAGE}/"))
def test_imports_point_one_way(room: str, path: Path) -> None:
    assert room in MAY_KNOW, f"{path} is a new room: decide in MAY_KNOW what it may know"
    assert forbidden(room, path.read_text()) == []


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("grammar", "from smtpdoc.evidence.smtp import Line", ["smtpdoc.evidence.smtp.Line"]),
        ("grammar", "def f():\n    import socket", ["socket"]),
        ("gather", "import dns.resolver", ["dns.resolver"]),
        ("gather", "from smtpdoc import net", ["smtpdoc.net"]),
        ("catalog", "from asyncio import run", ["asyncio.run"]),
        ("api", "import rich.console", ["rich.console"]),
        ("cli", "from smtpdoc.net.dns import open_resolver", ["smtpdoc.net.dns.open_resolver"]),
        ("cli", "import click\nfrom smtpdoc import __version__, api", []),
        ("net", "import ssl\nfrom smtpdoc.seams import Resolver", []),
        ("gather", "import dnsish", []),
    ],
)
def test_the_rules_bite(room: str, source: str, expected: list[str]) -> None:
    assert forbidden(room, source) == expected


def test_the_rules_have_no_circle() -> None:
    """But for one: api/ runs the awaitable forms of aio.py, which call back into it."""
    graph = {room: known - {"aio"} for room, known in MAY_KNOW.items()}

    assert set(TopologicalSorter(graph).static_order()) == set(MAY_KNOW)


def loaded_by(*arguments: str) -> set[str]:
    """Run a command as a user does, and return the modules that were loaded when it ended."""
    program = (
        "import sys\n"
        "from smtpdoc.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        "print('loaded:', *sys.modules, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)

    assert ran.returncode == 0, ran.stderr

    return set(ran.stderr.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("options", [(), ("--format", "json"), ("--color", "always")], ids=["text", "json", "colour"])
def test_explain_loads_nothing_that_talks_to_the_network(options: tuple[str, ...]) -> None:
    loaded = loaded_by("explain", *options, "550 5.1.1 x")

    assert {"smtpdoc.catalog", "click"} <= loaded
    assert {name for name in loaded if name.partition(".")[0] in NOT_FOR_EXPLAIN} == set()


def test_importing_smtpdoc_loads_only_the_package_itself() -> None:
    program = "import sys; before = set(sys.modules); import smtpdoc; print(*(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}

    assert loaded & (NOT_FOR_EXPLAIN | {"click", "rich"}) == set()


def test_every_runtime_dependency_says_what_it_is_for() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    dependencies = tomllib.loads(text)["project"]["dependencies"]
    justified = [
        dependency for dependency in dependencies if re.search(rf'"{re.escape(dependency)}", *# \w.{{10,}}', text)
    ]

    assert dependencies == justified
    names = {re.split(r"[<>=!~\[; ]", dependency)[0] for dependency in dependencies}
    assert names == {"click", "rich", "dnspython", "idna", "aiosmtplib", "aiosmtpd", "cryptography"}


def test_every_runtime_dependency_is_imported_somewhere() -> None:
    packages = {name.partition(".")[0] for _, path in modules() for name in imported(path.read_text())}
    third_party = packages - set(sys.stdlib_module_names) - {"smtpdoc"}

    assert third_party == {"click", "rich", "dns", "idna", "aiosmtplib", "aiosmtpd", "cryptography"}
