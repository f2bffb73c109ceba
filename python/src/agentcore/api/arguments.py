"""The flags of ``agentcore serve``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from agentcore.daemon.listen import parse_listen
from agentcore.settings import LogFormat, Settings

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    settings = Settings.from_env()
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--listen",
        metavar="HOST:PORT",
        type=parse_listen,
        default=parse_listen("127.0.0.1:8700"),
        help="TCP address (default 127.0.0.1:8700)",
    )
    place.add_argument("--uds", metavar="PATH", type=_absolute, help="Unix socket instead of TCP")
    parser.add_argument(
        "--uds-mode", metavar="OCTAL", type=_mode, default=0o660, help="its mode (default 0660)"
    )
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        type=_absolute,
        default=settings.state_dir,
        required=settings.state_dir is None,
        help="folder of the runs and boot records (or AGENTCORE_STATE_DIR)",
    )
    parser.add_argument(
        "--api-key-file", metavar="FILE", type=Path, help="file with the key that /v1 asks for"
    )
    parser.add_argument(
        "--release", metavar="ID", default=settings.release, help="release id, for /readyz"
    )
    parser.add_argument(
        "--workers", type=_count(1, 64), default=2, metavar="N", help="runs at once (default 2)"
    )
    parser.add_argument(
        "--queue", type=_count(0, 10_000), default=64, metavar="N", help="runs waiting (default 64)"
    )
    parser.add_argument(
        "--drain-seconds",
        type=_count(1, 600),
        default=10,
        metavar="N",
        help="deadline for requests in flight after SIGTERM (default 10)",
    )
    parser.add_argument(
        "--model",
        choices=("on", "off"),
        default="on",
        help="off: no embedding model, no routing and no search (default on)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[str(choice) for choice in LogFormat],
        default=str(settings.log_format),
        help="form of the log lines on standard error (default text)",
    )
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("error", "warn", "info", "debug"),
        default="info",
        help="least severe level that is written (default info)",
    )


def _absolute(text: str) -> Path:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"invalid value {text!r}: expected an absolute path")
    return Path(text)


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise argparse.ArgumentTypeError(f"invalid value {text!r}: expected octal, such as 0660")
    return mode


def _count(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"invalid value {text!r}: expected a whole number from {low} to {high}"
            )
        return int(text)

    return parse
