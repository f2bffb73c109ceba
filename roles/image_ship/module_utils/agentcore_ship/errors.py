"""The one error of shipping: what is wrong, where, and what would be right."""

from __future__ import annotations


class ShipError(Exception):
    """Something cannot be shipped.

    Args:
        where: the file, host or engine that is at fault.
        what: what is wrong with it.
        expected: what would be right; empty when the first two say it.
    """

    def __init__(self, where: str, what: str, expected: str = "") -> None:
        super().__init__(f"{where}: {what}" + (f"; {expected}" if expected else ""))
