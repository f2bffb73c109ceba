"""What goes wrong inside: a kind that becomes an exception's class, and a text."""

from __future__ import annotations

__all__ = ["Fault", "seconds"]


class Fault(Exception):  # noqa: N818 - the word for it on both sides
    """A failure before it is the caller's exception.

    Args:
        kind: a key of ``errors.KINDS``.
        text: what happened, in one sentence without a full stop.
        cause: what the caller's own body raised, for kind ``body``.
    """

    def __init__(self, kind: str, text: str, cause: BaseException | None = None) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text
        self.cause = cause


def seconds(value: float) -> str:
    """Return seconds as both implementations write them: without a needless fraction."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
