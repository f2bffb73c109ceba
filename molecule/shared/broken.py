#!/usr/bin/env python3
"""Makes a faulty release out of a good one, to see what a deployment does about it.

    broken.py list
    broken.py make --release build/release --fault wrong_results --to build/molecule/wrong_results
    broken.py copy --release build/release --to build/molecule/good
    broken.py flip --file build/bundle.tar --to build/molecule/flipped.tar [--offset N]

The good release stays as it is. The same release and fault give the same faulty release.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import broken_release
from broken_faults import FAULTS

USAGE_ERROR = 64


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="broken.py", description="Makes a faulty release out of a good one."
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="name the faults")
    make = verbs.add_parser("make", help="write a faulty release")
    make.add_argument("--release", type=Path, required=True, help="folder of the good release")
    make.add_argument("--fault", choices=sorted(FAULTS), required=True)
    make.add_argument(
        "--to", type=Path, required=True, help="folder to write; what is there goes away"
    )
    copy = verbs.add_parser("copy", help="take a release aside as it is")
    copy.add_argument("--release", type=Path, required=True)
    copy.add_argument("--to", type=Path, required=True)
    copy.add_argument("--keep", action="store_true", help="leave another release that is there")
    flip = verbs.add_parser("flip", help="copy a file with one byte flipped")
    flip.add_argument("--file", type=Path, required=True)
    flip.add_argument("--to", type=Path, required=True)
    flip.add_argument("--offset", type=int, help="which byte; the middle one if not given")
    return top


def make(options: argparse.Namespace) -> str:
    """Writes the faulty release and answers what was made, as JSON."""
    release = broken_release.Release(options.release)
    before = release.record["id"]
    _, change = FAULTS[options.fault]
    spoil = change(release)
    name = release.write(options.to)
    if spoil is not None:
        spoil(options.to)
    return json.dumps({"fault": options.fault, "from": before, "id": name, "dir": str(options.to)})


def copy(options: argparse.Namespace) -> str:
    """Copies a release, unless the copy is there already."""
    release = broken_release.Release(options.release)
    try:
        there = broken_release.Release(options.to).record
        changed = there != release.record and not options.keep
    except broken_release.ReleaseError:
        changed = True
    if changed:
        release.write(options.to)
    return json.dumps({"id": release.record["id"], "changed": changed, "dir": str(options.to)})


def flip(options: argparse.Namespace) -> str:
    """Copies a file and flips a byte of the copy."""
    if options.to.resolve() == options.file.resolve():
        raise broken_release.ReleaseError(f"{options.to} is the good file: name another one")
    options.to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(options.file, options.to)
    size = options.file.stat().st_size
    offset = size // 2 if options.offset is None else options.offset
    broken_release.flip_byte(options.to, offset)
    return json.dumps({"file": str(options.to), "offset": offset, "size": size})


def main() -> int:
    """Entry point: 0, or 64 with one sentence."""
    options = parser().parse_args()
    try:
        if options.verb == "list":
            print("\n".join(f"{name:16} {words}" for name, (words, _) in FAULTS.items()))
        else:
            print({"make": make, "copy": copy, "flip": flip}[options.verb](options))
    except (broken_release.ReleaseError, OSError) as error:
        print(f"broken.py: {error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
