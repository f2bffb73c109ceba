# Apache-2.0 (see LICENSE)
"""The health gate: a container passes when it has a healthcheck, is healthy in time, holds, and answers as expected.

Docker's own word is not enough. A container without a healthcheck has no health to speak of, an unhealthy one should fail
now and not at the end of a timeout, and a service may be up and yet not be what was deployed (a native image that answers
from its Python twin). So the gate asks three things: the engine, the clock, and the service.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse

from ansible.module_utils.docker_engine import EngineError, UnixConnection

DEFAULTS = {"first_success": 60.0, "hold": 10.0, "poll": 0.5}


class GateFailure(Exception):
    """Why the gate stayed shut, with what was seen."""


def split_target(target):
    """`http://HOST:PORT/PATH` or `unix:SOCKET:/PATH` as (connection factory, path)."""
    if target.startswith("unix:"):
        socket_path, _colon, path = target[5:].rpartition(":")
        if not socket_path or not path.startswith("/"):
            raise ValueError("%r is not unix:SOCKET:/PATH" % target)
        return (lambda timeout: UnixConnection(socket_path, timeout)), path
    parts = urllib.parse.urlsplit(target)
    if parts.scheme != "http" or not parts.hostname or not parts.port:
        raise ValueError("%r is neither http://HOST:PORT/PATH nor unix:SOCKET:/PATH" % target)
    return (lambda timeout: http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)), parts.path or "/"


def probe(target, timeout=3.0):
    """One GET. Answers {"target", "status", "body", "error"}; `status` is 0 where no answer came."""
    connect, path = split_target(target)
    connection = connect(timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(65536).decode("utf-8", "replace")
        return {"target": target, "status": answer.status, "body": body, "error": ""}
    except (OSError, http.client.HTTPException) as error:
        return {"target": target, "status": 0, "body": "", "error": str(error) or type(error).__name__}
    finally:
        connection.close()


def values_at(document, path):
    """All values at a dotted path; `*` stands for every key. Answers [(full path, value)]."""
    found = [("", document)]
    for part in path.split("."):
        deeper = []
        for prefix, node in found:
            keys = [part]
            if part == "*":
                keys = sorted(node) if isinstance(node, dict) else []
            for key in keys:
                value = node.get(key) if isinstance(node, dict) else None
                deeper.append(((prefix + "." + key).lstrip("."), value))
        found = deeper
    return found


def mismatch(document, expected):
    """What in `document` is not as `expected` ({dotted path: value}) says, in words, or an empty string."""
    for path, want in sorted(expected.items()):
        found = values_at(document, path)
        if not found:
            return "%s is missing, expected %r" % (path, want)
        for where, have in found:
            if have != want:
                reason = ""
                parent = values_at(document, where.rpartition(".")[0])[0][1] if "." in where else document
                if isinstance(parent, dict) and parent.get("reason"):
                    reason = " (%s)" % parent["reason"]
                return "%s is %r, expected %r%s" % (where, have, want, reason)
    return ""


def check_expectation(expect):
    """Asks the service. Answers (probe record, "" or why not, whether waiting could help)."""
    record = probe(expect["target"])
    if record["status"] == 0:
        return record, "%s does not answer: %s" % (expect["target"], record["error"]), True
    wanted_status = int(expect.get("status", 200))
    if record["status"] != wanted_status:
        return record, "%s answered %d, expected %d" % (expect["target"], record["status"], wanted_status), True
    if expect.get("contains") and expect["contains"] not in record["body"]:
        return record, "%s does not contain %r" % (expect["target"], expect["contains"]), False
    if expect.get("json"):
        try:
            document = json.loads(record["body"])
        except ValueError:
            return record, "%s did not answer JSON" % expect["target"], False
        why = mismatch(document, expect["json"])
        if why:
            return record, "%s: %s" % (expect["target"], why), False
    return record, "", False


def container_state(record, restarts_before, started_before):
    """"healthy" or "starting"; raises GateFailure on anything that waiting would not mend."""
    state = record["State"]
    if not (record["Config"].get("Healthcheck") or {}).get("Test") or record["Config"]["Healthcheck"]["Test"][0] == "NONE":
        raise GateFailure("the container has no healthcheck; a service without one cannot be gated")
    if record["RestartCount"] > restarts_before or (started_before and state["StartedAt"] != started_before):
        raise GateFailure("it restarted within the gate (last exit code %s)" % state.get("ExitCode"))
    if not state["Running"] or state.get("Restarting"):
        words = "it exited with code %s" % state.get("ExitCode")
        if state.get("OOMKilled"):
            words += ", out of memory"
        raise GateFailure(words)
    status = (state.get("Health") or {}).get("Status", "none")
    if status == "unhealthy":
        last = (state["Health"].get("Log") or [{}])[-1]
        raise GateFailure("it is unhealthy: %s" % (last.get("Output") or "no output of the probe").strip()[-300:])
    return status


def gate(engine, name, expect=None, timings=None):
    """Holds until the container `name` has passed. Answers {"seconds", "first_success", "probe"}.

    Raises GateFailure as soon as it is known that it will not pass: at once on exit, restart, unhealthy, or a service that
    answers but is not what `expect` says; else after `first_success` seconds. After the first success it must stay healthy
    without a restart for `hold` seconds.
    """
    times = dict(DEFAULTS, **{key: float(value) for key, value in (timings or {}).items()})
    began = time.monotonic()
    first_record = engine.inspect(name)
    if first_record is None:
        raise GateFailure("there is no container named %s" % name)
    restarts, started = first_record["RestartCount"], first_record["State"]["StartedAt"]
    why_not = ""
    first_success = None
    answer = None
    while True:
        record = engine.inspect(name)
        if record is None:
            raise GateFailure("the container vanished while it was gated")
        status = container_state(record, restarts, started)
        now = time.monotonic()
        good = status == "healthy"
        if not good:
            why_not = "its health is still %r" % status
        if expect and (good or first_success is None):
            answer, why, may_come = check_expectation(expect)
            if why:
                good, why_not = False, why
                if not may_come:
                    raise GateFailure(why)
        if good and first_success is None:
            first_success = now
        if not good and first_success is not None:
            raise GateFailure("it was healthy after %.1f s and then was not: %s" % (first_success - began, why_not))
        if first_success is not None and now - first_success >= times["hold"]:
            return {"seconds": round(now - began, 1), "first_success": round(first_success - began, 1), "probe": answer}
        if first_success is None and now - began >= times["first_success"]:
            raise GateFailure("no success within %g s: %s" % (times["first_success"], why_not))
        time.sleep(times["poll"])


def evidence(engine, name, expect=None):
    """What a person needs to understand a failure: log, health history, inspect, and what the service answers now."""
    found = {"log": "", "inspect": None, "health": None, "probes": []}
    try:
        found["inspect"] = engine.inspect(name)
        if found["inspect"]:
            found["health"] = found["inspect"]["State"].get("Health")
            found["log"] = engine.logs(name)
    except EngineError as error:
        found["log"] += "\n(evidence incomplete: %s)" % error
    if expect:
        found["probes"].append(probe(expect["target"]))
    return found


def with_last_words(reason, log):
    """`reason` and the last line that the container wrote, which mostly says why it left. Lines begin with a time stamp."""
    lines = [line.partition(" ")[2].strip() for line in log.splitlines()]
    spoken = [line for line in lines if line]
    return "%s; its last words: %s" % (reason, spoken[-1][:200]) if spoken else reason
