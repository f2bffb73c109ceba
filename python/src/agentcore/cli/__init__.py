"""The command line: ``agentcore serve | monitor | security | orchestrator | run | queue | …``.

Everything is parsed before anything starts, and a refused flag, variable or file exits 64. Each
command's module is imported only when that command is chosen: a healthcheck must not pay for
the agents, and a stand-in daemon must not need them.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from agentcore import __version__
from agentcore.errors import EX_USAGE, AgentCoreError
from agentcore.settings import Settings

__all__ = ["main"]

# command -> (the module that offers add_arguments(parser) and run(args), help)
COMMANDS = {
    "serve": ("agentcore.api.service", "serve the agents over HTTP"),
    "monitor": ("agentcore.performance.service", "stand in for monitor-agent: host metrics"),
    "security": ("agentcore.security.service", "stand in for security-agent: audit and scan"),
    "orchestrator": ("agentcore.containers.service", "stand in for orchestrator: templates"),
    "run": ("agentcore.cli.run", "run an agent here and print what it found"),
    "queue": ("agentcore.cli.queue", "look at a task queue, and put things right"),
    "doctor": ("agentcore.cli.doctor", "print the component table and self-test it"),
    "probe": ("agentcore.probe", "exit 0 if an HTTP target answers 200 (the healthcheck)"),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose refusals exit 64, as every program of the appliance does."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what was wrong, then exit 64."""
        self.print_usage(sys.stderr)
        self.exit(EX_USAGE, f"{self.prog}: {message}\nTry '{self.prog} --help'.\n")


def build_parser(command: str | None) -> Parser:
    """Build the parser; only the arguments of ``command`` are loaded.

    Args:
        command: the command about to be parsed, or None for the overview.
    """
    parser = Parser(prog="agentcore", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"agentcore {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("--version", action="version", version=f"agentcore {__version__}")
        if name == command:
            importlib.import_module(module).add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: the arguments after the program's name; ``sys.argv[1:]`` when not given.
    """
    argv = sys.argv[1:] if argv is None else argv
    command = next((arg for arg in argv if not arg.startswith("-")), None)
    try:
        Settings.from_env()  # a misspelled variable is refused before any work is done
        args = build_parser(command).parse_args(argv)
        status: int = importlib.import_module(COMMANDS[args.command][0]).run(args)
    except AgentCoreError as error:
        print(f"agentcore: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away: say nothing, as any filter does
        return 141
    except KeyboardInterrupt:
        return 130
    return status
