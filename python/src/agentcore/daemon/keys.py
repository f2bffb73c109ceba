"""API keys: read from a file, compared in constant time, never shown."""

from __future__ import annotations

import hmac
from pathlib import Path

from agentcore.daemon.listen import Listen
from agentcore.errors import ConfigurationError

_MIN_LENGTH = 16
_EXPECTED = "at least 16 printable ASCII characters without spaces"


class ApiKey:
    """A bearer key; ``repr`` doesn't show it."""

    __slots__ = ("_key",)

    def __init__(self, key: str, place: str = "API key") -> None:
        """Take a key.

        Raises:
            ConfigurationError: it is too short or holds other characters.
        """
        if len(key) < _MIN_LENGTH:
            raise ConfigurationError(f"has {len(key)} characters", place, _EXPECTED)
        if not all("!" <= char <= "~" for char in key):
            raise ConfigurationError("holds other characters", place, _EXPECTED)
        self._key = key.encode("ascii")

    @classmethod
    def from_file(cls, path: Path) -> ApiKey:
        """Read the key from a file; white space around it is ignored.

        Raises:
            ConfigurationError: the file can't be read or holds no proper key.
        """
        place = f"--api-key-file {path}"
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ConfigurationError(
                f"cannot be read: {error.strerror or error}",
                place,
                "a readable file that holds one key",
            ) from None
        return cls(text.strip(), place)

    def matches(self, given: str) -> bool:
        """Whether ``given`` is the key, in constant time."""
        return hmac.compare_digest(self._key, given.encode("utf-8", "surrogateescape"))

    def allows(self, authorization: str | None) -> bool:
        """Whether an ``Authorization`` header carries the key as ``Bearer <key>``."""
        scheme, _, given = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and self.matches(given.lstrip(" "))

    def __repr__(self) -> str:
        return "ApiKey(…)"


def ensure_guarded(listen: Listen, key: ApiKey | None) -> None:
    """Refuse an address that other machines reach when no key guards it.

    Raises:
        ConfigurationError: names the flag, the address and what would be right.
    """
    if not listen.is_local and key is None:
        raise ConfigurationError(
            "other machines can reach this address and no key guards it",
            f"--listen {listen}",
            "a loopback address, or a key given by --api-key-file",
        )
