"""What can go wrong on our side. What the world does wrong travels as data (see evidence/)."""


class SmtpdocError(Exception):
    """Any error that smtpdoc raises on purpose. Its message is a sentence for the user."""


class TargetError(SmtpdocError, ValueError):
    """We cannot read what was asked: a target, a domain, a file. Exit code 2."""


class ParseError(SmtpdocError, ValueError):
    """Text does not follow its grammar.

    `expected` says what should have stood at `offset` (characters from 0) in `text`.
    """

    def __init__(self, expected: str, text: str = "", offset: int = 0) -> None:
        self.expected = expected
        self.text = text
        self.offset = offset
        shown = text if len(text) <= 80 else text[:77] + "..."
        super().__init__(f"expected {expected}, got {shown!r}" if text else f"expected {expected}, got nothing")


class CatalogFileError(SmtpdocError, ValueError):
    """A user's own catalog file cannot be used; the message names the file, the line and the key. Exit code 2."""


class CatalogError(SmtpdocError):
    """Our own data is wrong; only tests should meet it."""
