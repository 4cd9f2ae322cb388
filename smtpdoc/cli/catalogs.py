"""The user's own catalog entries: --catalog, and the file at the place for configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from smtpdoc.cli.options import option

if TYPE_CHECKING:
    from smtpdoc.api.catalogs import UserCatalog

catalog_option = option(
    "--catalog",
    "catalogs",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Your own entries for replies, a TOML file (repeat).",
)


def read_catalog(paths: tuple[str, ...]) -> UserCatalog | None:
    """Return the user's entries, or None where there are none. --catalog beats the configuration, the last one wins.

    Raises CatalogFileError for a file that cannot be used.
    """
    configured = config_file()
    found = (configured, *paths) if os.path.isfile(configured) else paths
    if not found:
        return None  # and TOML is not loaded: start-up is measured
    from smtpdoc.api.catalogs import load_catalog

    return load_catalog(*found)


def config_file() -> str:
    """Return where the user's catalog is looked for: below $XDG_CONFIG_HOME, or ~/.config when that is not set."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):  # as the XDG base directory specification wants it
        base = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "smtpdoc", "catalog.toml")
