"""``agentcore queue``: look at a task queue and put things right.

Exit status 0 if it was done, 1 if the queue can not be used or did not drain in time, 3 if there is
no such job, 64 for a command line that is not understood.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agentcore.cli.text import table
from agentcore.errors import ConfigurationError, InputError, NotFoundError
from agentcore.queue import FastTaskQueue, JobInfo
from agentcore.queue.contract import STATES
from agentcore.queue.metrics import render

__all__ = ["add_arguments", "run"]

_PAUSE = 0.1
_ENDS = ("dead", "done", "cancelled", "ready", "delayed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs and their flags."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, text: str, *places: tuple[str, str], form: bool = False) -> Any:
        sub = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        sub.add_argument("target", metavar="TARGET", help="the queue's file, or postgresql://…")
        for place, meaning in places:
            kind: dict[str, Any] = {"type": _id, "nargs": "+"} if place == "id" else {}
            sub.add_argument(place, metavar=place.upper(), help=meaning, **kind)
        if form:
            sub.add_argument("--format", choices=("text", "json"), default="text")
        return sub

    job, queue = ("id", "the job's id"), ("queue", "the queue's name")
    verb("stats", "how many jobs each queue has, its limits and schedules", form=True)
    listing = verb("list", "the jobs, by id", form=True)
    listing.add_argument("--queue", help="only this queue")
    listing.add_argument("--state", choices=STATES, help="only this state")
    listing.add_argument("--limit", type=_positive, default=50, help="at most (default 50)")
    listing.add_argument("--after", type=_id, default=0, help="only ids above: the next page")
    verb("show", "all that is known of a job", job, form=True)
    verb("retry", "make dead, cancelled, kept or delayed jobs ready", job)
    bury = verb("bury", "make unfinished jobs dead", job)
    bury.add_argument("--error", default="buried", help="why (default 'buried')")
    verb("cancel", "take unfinished jobs out", job)
    purge = verb("purge", "delete the jobs of a state", queue)
    purge.add_argument("--state", choices=_ENDS, required=True)
    purge.add_argument("--older-than", type=float, default=0.0, metavar="SECONDS")
    drain = verb("drain", "hand out no more jobs, and wait until none runs", queue)
    drain.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    verb("resume", "hand out jobs again", queue)
    verb("metrics", "the queues in Prometheus' text format")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    target: str = args.target
    if "://" not in target and not Path(target).is_file():
        raise NotFoundError("there is no such file", target, "a queue's file, or postgresql://…")
    with FastTaskQueue(target) as queue:
        verb = _VERBS[args.verb]
        try:
            status: int = verb(queue, args)
        except ValueError as error:
            raise InputError(str(error), args.verb) from None
    return status


def _stats(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    counts, settings = queue.counts(), queue.queues()
    schedules = queue.schedules()
    if args.format == "json":
        body = {
            "queues": [one._asdict() | {"jobs": counts.get(one.name, {})} for one in settings],
            "schedules": [one._asdict() for one in schedules],
        }
        print(json.dumps(body, indent=2, ensure_ascii=False))
        return 0
    rows = [("queue", *STATES, "limits")]
    for one in settings:
        limits = [
            "paused" if one.paused else "",
            f"{one.concurrency} at a time" if one.concurrency else "",
            f"{one.rate:g} a second, {one.burst} at once" if one.rate else "",
        ]
        jobs = counts.get(one.name, {})
        numbers = [str(jobs.get(state, 0)) for state in STATES]
        rows.append((one.name, *numbers, ", ".join(filter(None, limits)) or "-"))
    print(table(rows))
    if schedules:
        head = ("schedule", "queue", "next", "line")
        print()
        print(table([head, *((s.name, s.queue, _when(s.next), s.expression) for s in schedules)]))
    return 0


def _list(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    jobs = queue.jobs(args.queue, args.state, limit=args.limit, after=args.after)
    if args.format == "json":
        print(json.dumps([_plain(job) for job in jobs], indent=2, ensure_ascii=False))
        return 0
    rows = [("id", "queue", "state", "priority", "attempts", "due", "error")]
    rows += [
        (str(job.id), job.queue, job.state, str(job.priority), f"{job.attempts}/{job.max_attempts}",
         _when(job.due), (job.error or "").partition("\n")[0][:80])
        for job in jobs
    ]  # fmt: skip
    print(table(rows))
    return 0


def _show(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    found = [_plain(_found(queue, id_)) for id_ in args.id]
    if args.format == "json":
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        rows = [table([(name, str(value)) for name, value in one.items()]) for one in found]
        print("\n\n".join(rows))
    return 0


def _each(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    """Do a verb to each job; a job that is not in a state for it is told of."""
    wrong = 0
    for id_ in args.id:
        state = _found(queue, id_).state
        extra = (args.error,) if args.verb == "bury" else ()
        done = getattr(queue, args.verb)(id_, *extra)
        wrong += not done
        print(f"{id_}: {args.verb} done" if done else f"{id_}: it is {state}, nothing done")
    return 1 if wrong else 0


def _purge(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    print(f"{queue.purge(args.queue, args.state, older_than=args.older_than)} jobs deleted")
    return 0


def _drain(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    queue.pause(args.queue)
    end = time.monotonic() + args.timeout
    while running := queue.counts()[args.queue]["running"]:
        if time.monotonic() >= end:
            print(f"{args.queue} is paused; {running} jobs still run after {args.timeout:g} s")
            return 1
        time.sleep(_PAUSE)
    print(f"{args.queue} is paused and none of its jobs runs; 'agentcore queue resume' ends that")
    return 0


def _resume(queue: FastTaskQueue, args: argparse.Namespace) -> int:
    queue.resume(args.queue)
    print(f"{args.queue} hands out jobs")
    return 0


def _metrics(queue: FastTaskQueue, _: argparse.Namespace) -> int:
    print(render(queue), end="")
    return 0


_VERBS = {
    "stats": _stats,
    "list": _list,
    "show": _show,
    "retry": _each,
    "bury": _each,
    "cancel": _each,
    "purge": _purge,
    "drain": _drain,
    "resume": _resume,
    "metrics": _metrics,
}


def _found(queue: FastTaskQueue, id_: int) -> JobInfo:
    found = queue.get(id_)
    if found is None:
        raise NotFoundError("there is no such job", str(id_), "an id that 'list' shows")
    return found


def _plain(job: JobInfo) -> dict[str, Any]:
    """Return a job as JSON data: bytes as text where they are UTF-8, else as base64."""
    data = job._asdict()
    for name in ("payload", "result"):
        value = data[name]
        if value is not None:
            try:
                data[name] = value.decode()
            except UnicodeDecodeError:
                data[name] = None
                data[f"{name}_base64"] = base64.b64encode(value).decode()
    return data


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ConfigurationError(f"'{text}' is no id", "id", "a number, as 'list' shows")
    return int(text)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ConfigurationError(f"'{text}' is no number of jobs", "--limit", "1 or more")
    return int(text)
