#!/usr/bin/env python3
"""Puts a steady load on HTTP services while something happens to them; counts every failure.

    load.py run   --target http://127.0.0.1:8700 --report build/load.json --duration 60
    load.py start (the same options)   goes to the background once every target has answered
    load.py stop  --report build/load.json   ends it, sums it up, exits 1 if a request failed

A run ends at its duration or at SIGTERM, whichever is first, and then writes its report.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import load_clients
import load_report

USAGE_ERROR = 64
#: Seconds that `start` waits for a first good answer of every target, and `stop` for the report.
PATIENCE = 20.0
LONGEST = 7200.0


class UsageError(Exception):
    """The command line makes no sense; the message says what would."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="load.py", description="A steady HTTP load that counts failures."
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    for verb in ("run", "start"):
        one = verbs.add_parser(verb)
        one.add_argument(
            "--target", action="append", required=True, help="http://HOST:PORT, may repeat"
        )
        one.add_argument("--report", type=Path, required=True, help="JSON file to write at the end")
        one.add_argument("--path", default="/livez", help="path of the GET requests")
        one.add_argument(
            "--rate", type=float, default=60.0, help="requests per second for each target"
        )
        one.add_argument("--duration", type=float, default=600.0, help="seconds, at most 7200")
        one.add_argument(
            "--timeout", type=float, default=5.0, help="seconds that one request may take"
        )
        one.add_argument("--post-path", help="also send POST requests to this path")
        one.add_argument("--post-body", type=Path, help="JSON file that is their body")
        one.add_argument(
            "--post-every", type=int, default=10, help="every n-th request is the POST"
        )
        one.add_argument("--api-key-file", type=Path, help="file with the key that the POSTs carry")
    stop = verbs.add_parser("stop")
    stop.add_argument(
        "--report", type=Path, action="append", default=[], help="report of the run to stop"
    )
    stop.add_argument(
        "--all", type=Path, metavar="DIR", help="stop every run whose report is in DIR"
    )
    return top


def plan(options: argparse.Namespace) -> load_clients.Plan:
    """Checks the options of a run. Raises UsageError."""
    for target in options.target:
        parts = urllib.parse.urlsplit(target)
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
            raise UsageError(f"--target is {target!r}: use http://HOST:PORT")
    if not 1 <= options.rate <= 1000:
        raise UsageError(f"--rate is {options.rate:g}: use 1 to 1000 requests per second")
    if not 0 < options.duration <= LONGEST:
        raise UsageError(
            f"--duration is {options.duration:g}: use more than 0, at most {LONGEST:g} s"
        )
    if not 0 < options.timeout <= 60:
        raise UsageError(f"--timeout is {options.timeout:g}: use more than 0, at most 60 seconds")
    post = None
    if options.post_path:
        if options.post_body is None or options.api_key_file is None or options.post_every < 1:
            raise UsageError(
                "--post-path needs --post-body FILE, --api-key-file FILE, --post-every 1 or more"
            )
        try:
            key = options.api_key_file.read_text().strip()
            post = load_clients.Post(
                options.post_path, options.post_body.read_bytes(), key, options.post_every
            )
        except OSError as error:
            raise UsageError(f"can't read {error.filename}: {error.strerror}") from error
    return load_clients.Plan(options.path, options.rate, options.timeout, post)


def pid_file(report: Path) -> Path:
    """Where the process id of a run stands while it lives."""
    return report.with_name(f"{report.name}.pid")


def run(options: argparse.Namespace) -> int:
    """Puts the load on until its duration is over or SIGTERM comes; 1 if the verdict is bad."""
    todo = plan(options)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.unlink(missing_ok=True)
    pid_file(options.report).write_text(f"{os.getpid()}\n")
    tallies = [load_report.Tally(target) for target in options.target]
    began = datetime.datetime.now(datetime.UTC)
    begin = time.monotonic()
    clients = load_clients.start(tallies, todo, begin, stop)
    stop.wait(options.duration)
    seconds = time.monotonic() - begin
    stop.set()
    deadline = time.monotonic() + todo.timeout + 1
    for client in clients:
        client.join(max(0.0, deadline - time.monotonic()))
    report = load_report.make(tallies, began, seconds, todo.rate)
    load_report.write(options.report, report)
    pid_file(options.report).unlink(missing_ok=True)
    return 0 if report["verdict"] == "good" else 1


def answers(target: str, todo: load_clients.Plan) -> str:
    """Sends each kind of request to a target once; empty if all is well, else what was not."""
    client = load_clients.Client(
        load_report.Tally(target), 1, todo, time.monotonic(), threading.Event()
    )
    for count in (1,) if todo.post is None else (1, todo.post.every):
        outcome = client.request(count)
        if not outcome.good:
            return f"{outcome.method} {outcome.path}: {outcome.error or outcome.status}"
    return ""


def start(options: argparse.Namespace) -> int:
    """Waits until every target answers, then leaves a run behind in the background."""
    todo = plan(options)
    if alive(options.report):
        raise UsageError(f"a run that writes {options.report} goes on already: stop it first")
    deadline = time.monotonic() + PATIENCE
    for target in options.target:
        while why := answers(target, todo):
            if time.monotonic() > deadline:
                print(f"load.py: {target} is not well after {PATIENCE:g} s: {why}", file=sys.stderr)
                return 1
            time.sleep(0.5)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    with options.report.with_name(f"{options.report.name}.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), "run", *sys.argv[2:]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not pid_file(options.report).exists():
        if child.poll() is not None or time.monotonic() > deadline:
            print(f"load.py: the run did not start, see {log.name}", file=sys.stderr)
            return 1
        time.sleep(0.05)
    print(f"load of {todo.rate:g} requests/s on {', '.join(options.target)} (process {child.pid})")
    return 0


def runs(pid: int) -> bool:
    """Whether this process is a live load run: ids are given again, nothing else is signalled."""
    with contextlib.suppress(OSError):
        return b"load.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def alive(report: Path) -> int:
    """Process id of the run that writes this report; 0 if there is none (any more)."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file(report).read_text())
        return pid if runs(pid) else 0
    return 0


def stop_one(report: Path) -> int:
    """Ends one run and prints its summary; 1 if a request failed or there is no report."""
    if pid := alive(report):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if runs(pid):
        os.kill(pid, signal.SIGKILL)
    pid_file(report).unlink(missing_ok=True)
    if not report.exists():
        print(f"load.py: no report {report}: no such run, or it was killed", file=sys.stderr)
        return 1
    found = json.loads(report.read_text())
    print(f"{report}: {found['verdict']}; {found['total']} requests in {found['seconds']} s")
    for target, figures in found["targets"].items():
        print(
            f"  {target}: {figures['total']} sent, {figures['failed']} failed, {figures['rate']}/s,"
            f" p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms,"
            f" longest gap {figures['longest_gap_s']} s"
        )
        for failure in figures["failures"][:10]:
            print(f"    {json.dumps(failure)}")
    return 0 if found["verdict"] == "good" else 1


def stop(options: argparse.Namespace) -> int:
    """Ends the named runs, or all that a folder holds."""
    reports = list(options.report)
    if options.all is not None:
        reports += [
            file.with_name(file.name.removesuffix(".pid")) for file in options.all.glob("*.pid")
        ]
    elif not reports:
        raise UsageError("stop needs --report FILE or --all DIR")
    return max((stop_one(report) for report in reports), default=0)


def main() -> int:
    """Entry point."""
    options = parser().parse_args()
    try:
        return {"run": run, "start": start, "stop": stop}[options.verb](options)
    except UsageError as error:
        print(f"load.py: {error}", file=sys.stderr)
        return USAGE_ERROR


if __name__ == "__main__":
    sys.exit(main())
