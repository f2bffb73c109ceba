"""The one error that a build raises: what is wrong, where, and what would be right."""

from __future__ import annotations


class BuildError(Exception):
    """A build cannot go on.

    Args:
        where: the file, image or program that is at fault.
        what: what is wrong with it.
        expected: what would be right; empty when the first two say it.
    """

    def __init__(self, where: str, what: str, expected: str = "") -> None:
        self.where = where
        self.what = what
        self.expected = expected
        super().__init__(f"{where}: {what}" + (f"; {expected}" if expected else ""))
