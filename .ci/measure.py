# Apache-2.0 (see LICENSE)
"""Measures what is deployed: takes the binaries out of the release and runs the benchmarks of the Python room over them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from runner import ROOT


def released() -> Path:
    """Takes the extensions and the monitor daemon out of the release: what is measured is what is deployed."""
    release, target = ROOT / "build" / "release", ROOT / "build" / "bench" / "release"
    record = json.loads((release / "release.json").read_text())
    if not record["native"]:
        sys.exit("the release has no native part to measure: install a Rust tool chain and run `make images`")
    shutil.rmtree(target, ignore_errors=True)
    for name in ("agentcore-native", "monitor-agent"):
        layer = record["images"][name]["layers"][-1].removeprefix("sha256:")
        with tarfile.open(release / "blobs" / "sha256" / layer) as tar:
            tar.extractall(target, filter="data")
    return target


def bench(subject: str) -> int:
    """Ours beside the peers; the page of results is written from what the runs left."""
    python, results = ROOT / "python", ROOT / "build" / "bench"
    known = sorted(path.stem for path in (python / "benchmarks" / "subjects").glob("[a-z]*.py"))
    if subject != "all" and subject not in known:
        print(f"there is no benchmark named {subject!r}; there are {', '.join(known)}", file=sys.stderr)
        return 64
    binaries = released()
    env = {
        **os.environ,
        "AGENTCORE_LIB_DIR": str(binaries / "opt/agentcore/lib"),
        "AGENTCORE_NATIVE": "require",
        "MONITOR_AGENT": str(binaries / "monitor-agent"),
        "PYTHONPATH": "src",
    }
    wanted = known if subject == "all" else [subject]
    for command in (
        [sys.executable, "-m", "benchmarks", "--out", str(results), *wanted],
        [sys.executable, "-m", "benchmarks.report", str(results), str(ROOT / "docs" / "benchmarks.md")],
    ):
        code = subprocess.call(command, cwd=python, env=env)
        if code:
            return code
    return 0
