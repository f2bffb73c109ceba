"""The log: one line an event on standard error, as text or as a JSON object.

The fields are those of the Rust daemons: ``timestamp`` (RFC 3339, UTC), ``level``, ``message``,
``target``; whatever is given by ``extra={"fields": {…}}`` stands beside them.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": 5,
}
_NAMES = {logging.CRITICAL: "ERROR", logging.WARNING: "WARN", 5: "TRACE"}


class _Formatter(logging.Formatter):
    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        level = _NAMES.get(record.levelno, record.levelname)
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        fields = getattr(record, "fields", {})
        if self.as_json:
            event = {"timestamp": stamp, "level": level, "message": message}
            event.update(fields, target=record.name)
            return json.dumps(event, ensure_ascii=False, default=str)
        rest = "".join(f" {key}={value}" for key, value in fields.items())
        return f"{stamp} {level:>5} {record.name}: {message}{rest}"


def configure_logging(log_format: str = "text", log_level: str = "info") -> None:
    """Send the whole process's log to standard error in one form; calling again replaces it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(as_json=log_format == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[log_level])
