"""Reading the user's own catalog files."""

from __future__ import annotations

import os

from smtpdoc.catalog.user import UserCatalog
from smtpdoc.catalog.user_file import parse_catalog
from smtpdoc.errors import CatalogFileError

__all__ = ["UserCatalog", "load_catalog"]

MAX_FILE_BYTES = 2_000_000


def load_catalog(*paths: str | os.PathLike[str]) -> UserCatalog:
    """Return the entries of some files as one catalog for `explain` and `probe`; a later file beats an earlier one.

    Raises CatalogFileError, which names the file, the line and the key, when one cannot be used.
    """
    return UserCatalog(entry for path in reversed(paths) for entry in parse_catalog(_read(path), os.fspath(path)))


def _read(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CatalogFileError(f"cannot read the catalog {name}: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        raise CatalogFileError(f"the catalog {name} is larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogFileError(f"{name}, line {line}: this is no UTF-8") from None
