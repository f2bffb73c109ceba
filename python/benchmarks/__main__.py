"""``python -m benchmarks SUBJECT...``: run, print, write ``build/bench/<subject>.json``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from benchmarks import subjects
from benchmarks.harness import MIN_ROUNDS, Subject, run_subject, write

BUILD = Path(__file__).resolve().parents[2] / "build" / "bench"


def known() -> list[str]:
    """Return the names of the subjects: the files of ``benchmarks/subjects``."""
    return sorted(module.name for module in pkgutil.iter_modules(subjects.__path__))


def load(name: str) -> Subject:
    """Import a subject."""
    subject: Subject = importlib.import_module(f"benchmarks.subjects.{name}").SUBJECT
    return subject


def main(argv: list[str] | None = None) -> int:
    """Run the named subjects; return 1 if ``--check`` was given and a bar does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("subjects", nargs="+", choices=known(), metavar="SUBJECT",
                        help=f"one of {', '.join(known())}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=7, help=f"at least {MIN_ROUNDS}")
    parser.add_argument("--out", type=Path, default=BUILD, help="folder of the JSON files")
    parser.add_argument("--check", action="store_true", help="exit 1 unless every bar holds")
    parser.add_argument(
        "--only", metavar="TEXT", help="the cases with TEXT in their names; writes no file"
    )
    arguments = parser.parse_args(argv)
    if arguments.rounds < MIN_ROUNDS:
        parser.error(f"--rounds {arguments.rounds}: expected at least {MIN_ROUNDS}")
    missed = 0
    for name in arguments.subjects:
        subject = load(name)
        for peer in subject.missing:
            print(f"{name}: peer {peer} is not installed and not measured", file=sys.stderr)
        record = run_subject(subject, arguments.rounds, only=arguments.only)
        if arguments.only is not None and not record["cases"]:
            parser.error(f"--only {arguments.only}: no case of {name} has that in its name")
        missed += sum(bool(case["bar"]) and not case["holds"] for case in record["cases"])
        if arguments.only is None:
            print(f"wrote {write(record, arguments.out)}")
    if missed:
        print(f"{missed} bars do not hold", file=sys.stderr)
    return 1 if missed and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
