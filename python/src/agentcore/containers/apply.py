"""Carries a plan out: in the order of dependencies, gated, and all or nothing.

A container that is replaced is stopped and renamed, not removed, until the whole project has
passed its gates. If anything fails, the new containers go (their logs and health history into the
error) and the old ones come back. If this process is killed in between, the next ``apply`` finds
the renamed containers and puts them back first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from agentcore.containers.contract import EngineError
from agentcore.containers.engine_http import demultiplex
from agentcore.containers.plan import LABEL_PROJECT, container_config, network_config, plan
from agentcore.containers.plan import container_spec as spec_of
from agentcore.containers.plan import one_shot as is_one_shot

if TYPE_CHECKING:
    from agentcore.containers.engine import Engine

__all__ = ["apply"]

PREVIOUS = "-previous"
POLL_SECONDS = 0.2
LOG_LINES = 100
LOG_BYTES = 16_384


class _GateError(Exception):
    """A container did not pass; the text says why."""


def apply(engine: Engine, project: dict[str, Any], images: dict[str, str]) -> dict[str, Any]:
    """Bring the engine to the project. The caller holds the project's lock.

    Args:
        engine: the engine.
        project: the normal form.
        images: image name → id; all that the project names.

    Returns:
        The plan that was carried out.

    Raises:
        EngineError: ``gate_failed`` with the evidence; or what the engine refused. In both cases
            the former containers run again.
    """
    wanted = {service["image"] for service in project["services"].values()}
    if missing := sorted(wanted - images.keys()):
        raise EngineError(
            "image_missing",
            f"the engine has no image {', '.join(missing)}; expected it to be loaded before",
            {"images": missing},
        )
    _recover(engine, project["name"])
    facts, _ = engine.current(project["name"])
    todo = plan(project, images, facts)
    ids = {fact["service"]: fact["id"] for fact in facts}
    _ensure(engine, project, "networks")
    _ensure(engine, project, "volumes")
    undo: list[tuple[str, str | None, bool]] = []
    service = ""
    try:
        for action in todo["actions"]:
            service, name = action["service"], action["container"]
            if action["action"] in ("create", "recreate"):
                old = ids.get(service)
                _replace(engine, project, service, name, old, undo, images)
            starting = any(f["service"] == service and f["health"] == "starting" for f in facts)
            if action["action"] in ("create", "recreate") or (
                action["action"] == "unchanged" and starting
            ):
                _gate(engine, project, service, name)
    except _GateError as failed:
        evidence = _evidence(engine, container_of(project, service), service, str(failed))
        evidence |= _undo(engine, undo)
        raise EngineError(
            "gate_failed", f"{service}: {failed}; the former state is restored", evidence
        ) from None
    except BaseException as error:
        restored = _undo(engine, undo)
        if isinstance(error, EngineError):
            error.details |= {"service": service, **restored}
        raise
    for action in todo["actions"]:
        if action["action"] == "remove":
            engine.discard(ids[action["service"]], gently=True)
    for name, previous, _ in undo:
        if previous is not None:
            engine.discard(name + PREVIOUS)
    engine.state.applied(
        project["name"], {"project": project, "images": {n: images[n] for n in wanted}}
    )
    return todo


def container_of(project: dict[str, Any], service: str) -> str:
    """Return the name of a service's container."""
    return f"{project['name']}-{service}"


def _recover(engine: Engine, project: str) -> None:
    """Put back what an apply that was killed had set aside."""
    for item in engine.listed(project):
        name = item["Names"][0].lstrip("/")
        if name.endswith(PREVIOUS):
            engine.discard(name.removesuffix(PREVIOUS))
            _rename(engine, item["Id"], name.removesuffix(PREVIOUS))
            _start(engine, item["Id"])


def _ensure(engine: Engine, project: dict[str, Any], kind: str) -> None:
    """Make the project's networks or volumes; external ones must be there."""
    for wanted in project[kind].values():
        path = f"/{kind}/{quote(wanted['name'])}"
        if engine.http.request("GET", path, absent_ok=True) is not None:
            continue
        if wanted["external"]:
            raise EngineError(
                "not_found",
                f"the external {kind[:-1]} {wanted['name']} does not exist; "
                "expected it to be made before",
            )
        body: dict[str, Any] = {"Name": wanted["name"], "Labels": {LABEL_PROJECT: project["name"]}}
        if kind == "networks":
            body |= {"Driver": "bridge", "Internal": wanted["internal"], "CheckDuplicate": True}
        engine.http.request("POST", f"/{kind}/create", body=body)


def _replace(
    engine: Engine,
    project: dict[str, Any],
    service: str,
    name: str,
    old: str | None,
    undo: list[tuple[str, str | None, bool]],
    images: dict[str, str],
) -> None:
    running = False
    if old is not None:
        raw = engine.inspect(old)
        running = raw is not None and raw["State"]["Status"] in ("running", "restarting")
        undo.append((name, old, running))
        engine.stop(old)
        _rename(engine, old, name + PREVIOUS)
    else:
        undo.append((name, None, False))
    body = container_config(project, service, images[project["services"][service]["image"]])
    made = engine.http.request("POST", "/containers/create", {"name": name}, body)["Id"]
    networks = spec_of(project, service)["networks"]
    for network in sorted(networks)[1:]:
        endpoint = {"Container": made, "EndpointConfig": network_config(networks[network], service)}
        engine.http.request("POST", f"/networks/{quote(network)}/connect", body=endpoint)
    _start(engine, made)


def _rename(engine: Engine, container: str, name: str) -> None:
    engine.http.request("POST", f"/containers/{container}/rename", {"name": name})


def _start(engine: Engine, container: str) -> None:
    engine.http.request("POST", f"/containers/{container}/start")


def _undo(engine: Engine, undo: list[tuple[str, str | None, bool]]) -> dict[str, Any]:
    """Take back in reverse order; what fails is told, and does not stop the rest."""
    restored: list[str] = []
    errors: list[str] = []
    for name, old, running in reversed(undo):
        try:
            if old is None:
                engine.discard(name)
                continue
            raw = engine.inspect(old)
            if raw is not None and raw["Name"].endswith(PREVIOUS):
                engine.discard(name)
                _rename(engine, old, name)
            if running:
                _start(engine, old)
            restored.append(name)
        except EngineError as error:
            errors.append(f"{name}: {error}")
    return {"restored": restored, "restore_errors": errors}


def _gate(engine: Engine, project: dict[str, Any], service: str, name: str) -> None:
    """Wait until the service works; raise ``_GateError`` as soon as it cannot."""
    gate = project["services"][service]["gate"]
    one_shot = is_one_shot(project, service)
    timeout, hold = gate["timeout_ns"] / 1e9, gate["hold_ns"] / 1e9
    begun = time.monotonic()
    good_since: float | None = None
    while True:
        raw = engine.inspect(name)
        if raw is None:
            raise _GateError("the container vanished")
        state = raw["State"]
        now = time.monotonic()
        status = state["Status"]
        if one_shot and status == "exited" and state["ExitCode"] == 0:
            return
        if status in ("exited", "dead"):
            raise _GateError(f"exited with status {state['ExitCode']}")
        if raw["RestartCount"] > 0 or status == "restarting":
            raise _GateError(f"restarted after an exit with status {state['ExitCode']}")
        health = (state.get("Health") or {}).get("Status")
        if health == "unhealthy":
            raise _GateError("unhealthy")
        if gate["mode"] != "none" and health in (None, "none"):
            raise _GateError("neither the template nor the image has a healthcheck")
        if not one_shot and (gate["mode"] == "none" or health == "healthy"):
            good_since = now if good_since is None else good_since
            if now - good_since >= hold:
                return
        else:
            good_since = None
            if now - begun >= timeout:
                verb = "end" if one_shot else "become healthy"
                raise _GateError(f"did not {verb} within {timeout:g} s")
        time.sleep(POLL_SECONDS)


def _evidence(engine: Engine, name: str, service: str, reason: str) -> dict[str, Any]:
    """Keep what explains a failure, before the container goes."""
    found: dict[str, Any] = {"service": service, "container": name, "reason": reason}
    try:
        raw = engine.inspect(name) or {"State": {}}
        query = {"stdout": 1, "stderr": 1, "tail": LOG_LINES}
        log = engine.http.request("GET", f"/containers/{quote(name)}/logs", query, absent_ok=True)
    except EngineError as error:
        return found | {"log": "", "health": [], "evidence_error": str(error)}
    text = demultiplex(log if isinstance(log, bytes) else b"")
    found["log"] = text[-LOG_BYTES:].decode("utf-8", "replace")
    found["health"] = [
        {"exit_code": probe["ExitCode"], "output": probe["Output"], "start": probe["Start"]}
        for probe in (raw["State"].get("Health") or {}).get("Log") or []
    ]
    return found
