"""A page of metrics in Prometheus's text format 0.0.4, written without floats.

Values are ints, ints with a fixed number of decimals (`scaled`), or text that was a number
already; so nothing is rounded, and the native implementation writes the same bytes.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["counter", "gauge", "untyped"]
U64 = 2**64 - 1


def scaled(number: int, decimals: int) -> str:
    """Return ``number / 10**decimals`` exactly, without trailing zeros."""
    unit = 10**decimals
    whole, fraction = divmod(number, unit)
    if not fraction:
        return str(whole)
    return f"{whole}.{fraction:0{decimals}d}".rstrip("0")


def saturate(number: int) -> int:
    """Keep a product within 64 bits, as the native implementation does."""
    return min(number, U64)


class Page:
    """The page; families are written one after the other, each in one block."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.warnings: list[str] = []
        self._family = ""

    def family(self, name: str, help_text: str, kind: Kind) -> None:
        """Begin a family."""
        self._family = name
        escaped = help_text.replace("\\", "\\\\").replace("\n", "\\n")
        self.parts.append(f"# HELP {name} {escaped}\n# TYPE {name} {kind}\n")

    def sample(self, labels: dict[str, str], value: int | str) -> None:
        """Write one sample of the current family."""
        if labels:
            pairs = ",".join(f'{name}="{_escape(text)}"' for name, text in labels.items())
            self.parts.append(f"{self._family}{{{pairs}}} {value}\n")
        else:
            self.parts.append(f"{self._family} {value}\n")

    def single(self, name: str, help_text: str, kind: Kind, value: int | str) -> None:
        """Write a family of one sample without labels."""
        self.family(name, help_text, kind)
        self.sample({}, value)

    def has_family(self, name: str) -> bool:
        """Whether the page has a family of this name already."""
        head = f"# TYPE {name} "
        return any(head in part for part in self.parts)

    def warn(self, reason: str) -> None:
        """Report something that is worth a log line but not the collector's success."""
        self.warnings.append(reason)

    def text(self) -> str:
        """The whole page."""
        return "".join(self.parts)


def _escape(text: str) -> str:
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text
