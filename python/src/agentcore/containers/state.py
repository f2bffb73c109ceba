"""What the orchestrator remembers of a project: the specification in force and the one before.

One JSON file a project, replaced whole (write beside, flush, rename), mode 0600 because it holds
environment values. A lock file makes changes of one project exclusive between processes; the
native implementation uses the same files and the same lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agentcore.containers.contract import EngineError

__all__ = ["StateDir"]

SCHEMA = 1


class StateDir:
    """The directory with the records.

    Args:
        path: made on first use.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    @contextlib.contextmanager
    def locked(self, project: str) -> Iterator[None]:
        """Hold the project's lock.

        Raises:
            EngineError: ``busy`` at once if another holds it; ``state`` if it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(
                self.path / f"{project}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise self._failed("written", error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise EngineError(
                "busy",
                f"another change of the project {project} is under way; expected one at a time",
            ) from None
        try:
            yield
        finally:
            os.close(handle)

    def read(self, project: str) -> dict[str, Any]:
        """Return ``{"current": …, "previous": …}``, each a record or None."""
        file = self.path / f"{project}.json"
        try:
            found = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return {"current": None, "previous": None}
        except (OSError, ValueError) as error:
            raise self._failed("read", error) from None
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise EngineError("state", f"{file}: an unknown form; expected schema {SCHEMA}")
        return {"current": found.get("current"), "previous": found.get("previous")}

    def write(self, project: str, record: dict[str, Any]) -> None:
        """Replace the record, whole or not at all."""
        file = self.path / f"{project}.json"
        beside = file.with_suffix(".tmp")
        text = json.dumps({"schema": SCHEMA, **record}, ensure_ascii=False, sort_keys=True)
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        except OSError as error:
            raise self._failed("written", error) from None

    def applied(self, project: str, now: dict[str, Any]) -> None:
        """Note what is in force; what was before, if different, can be returned to."""
        record = self.read(project)
        if record["current"] != now:
            previous = record["current"] or record["previous"]
            self.write(project, {"current": now, "previous": previous})

    def removed(self, project: str) -> None:
        """Note that nothing is in force; the last specification can be returned to."""
        record = self.read(project)
        if record["current"] is not None:
            self.write(project, {"current": None, "previous": record["current"]})

    def _failed(self, verb: str, error: Exception) -> EngineError:
        cause = getattr(error, "strerror", None) or str(error)
        return EngineError("state", f"the state directory {self.path} cannot be {verb}: {cause}")
