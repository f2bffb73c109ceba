"""The flags every stand-in has, with the names and defaults of the Rust daemons."""

from __future__ import annotations

import argparse
from pathlib import Path

from agentcore.daemon.listen import parse_listen
from agentcore.settings import LogFormat, Settings

LEVELS = ("error", "warn", "info", "debug", "trace")


def add_daemon_arguments(
    parser: argparse.ArgumentParser, *, listen: str, api_key: bool = False
) -> None:
    """Declare ``--listen``, ``--log.format``, ``--log.level`` and, if asked, ``--api-key-file``.

    The values arrive as ``args.listen`` (`Listen`), ``args.log_format``, ``args.log_level``
    and ``args.api_key_file`` (``Path | None``).

    Args:
        parser: the command's parser.
        listen: the default address.
        api_key: whether the service has an API that a key guards.
    """
    parser.add_argument(
        "--listen",
        metavar="HOST:PORT",
        type=parse_listen,
        default=parse_listen(listen),
        help=f"address of the server, or unix:/path (default {listen})",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[str(choice) for choice in LogFormat],
        default=str(Settings.from_env().log_format),
        help="form of the log lines on standard error (default text)",
    )
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=LEVELS,
        default="info",
        help="least severe level that is written (default info)",
    )
    if api_key:
        parser.add_argument(
            "--api-key-file",
            metavar="FILE",
            type=Path,
            default=None,
            help="file that holds the bearer key of the API",
        )
