"""One Docker engine, the Python way: plan, status, remove, and the doors to apply and sandbox."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from agentcore.containers import apply as applying
from agentcore.containers import sandbox_run
from agentcore.containers.contract import EngineError, TemplateError
from agentcore.containers.engine_http import EngineHttp
from agentcore.containers.plan import (
    LABEL_HASH,
    LABEL_IMAGE,
    LABEL_PROJECT,
    LABEL_SERVICE,
    LABEL_SPEC,
    plan,
)
from agentcore.containers.policy import parse_policy
from agentcore.containers.sandbox_spec import parse_sandbox
from agentcore.containers.state import StateDir
from agentcore.containers.template import PROJECT_NAME
from agentcore.containers.values import show

__all__ = ["Engine"]

PREVIOUS = "-previous"
"""Ends the name of a container that waits until its successor has passed the gate."""


class Engine:
    """One engine and one state directory; see ``contract.ContainerEngine``.

    Args:
        docker: ``unix:///path/of/the.sock``.
        state_dir: where records and locks are kept.
        policy: what sandboxes may ask.
    """

    def __init__(self, docker: str, state_dir: str, policy: dict[str, Any]) -> None:
        if not docker.startswith("unix:///"):
            raise TemplateError([f"docker: {show(docker)}; expected unix:///path/of/the.sock"])
        parse_policy(policy)
        self.policy = policy
        self.http = EngineHttp(docker)
        self.state = StateDir(state_dir)

    def ping(self) -> dict[str, Any]:
        """Ask the engine who it is."""
        self.http.forget_version()
        api = self.http.api_version()
        return {"engine": self.http.request("GET", "/version", timeout=5)["Version"], "api": api}

    def plan(self, project: dict[str, Any]) -> dict[str, Any]:
        """Say what ``apply`` would do."""
        return plan(project, self.images(project), self.current(project["name"])[0])

    def apply(self, project: dict[str, Any]) -> dict[str, Any]:
        """Bring the engine to the project, or leave it as it was."""
        with self.state.locked(_checked(project["name"])):
            return applying.apply(self, project, self.images(project))

    def rollback(self, project: str) -> dict[str, Any]:
        """Apply the specification before the current one, with the images it ran on."""
        with self.state.locked(_checked(project)):
            previous = self.state.read(project)["previous"]
            if previous is None:
                raise EngineError(
                    "not_found", f"the project {project} has no former specification to return to"
                )
            for name, image_id in previous["images"].items():
                if self.image_id(image_id) is None:
                    raise _missing([f"{name} ({image_id})"])
            return applying.apply(self, previous["project"], previous["images"])

    def status(self, project: str) -> dict[str, Any]:
        """Describe the project's containers, and whether a rollback is possible."""
        record = self.state.read(_checked(project))
        found, inspected = self.current(project)
        if not found and record["current"] is None:
            raise EngineError("not_found", f"no project {project} is applied here")
        services = []
        for container, raw in zip(found, inspected, strict=True):
            shown = {k: v for k, v in container.items() if k not in ("spec", "id")}
            shown["image"] = raw["Config"]["Image"]
            shown["restarts"] = raw["RestartCount"]
            shown["started_at"] = raw["State"]["StartedAt"]
            shown["ports"] = sorted(
                f"{binding['HostIp']}:{binding['HostPort']}->{port}"
                for port, bindings in (raw["NetworkSettings"]["Ports"] or {}).items()
                for binding in bindings or []
            )
            services.append(shown)
        return {
            "project": project,
            "services": services,
            "rollback_possible": record["previous"] is not None,
        }

    def remove(self, project: str, volumes: bool = False) -> dict[str, Any]:
        """Remove containers and networks of the project, and its volumes if asked."""
        with self.state.locked(_checked(project)):
            removed: dict[str, list[str]] = {"containers": [], "networks": [], "volumes": []}
            for item in self.listed(project):
                removed["containers"].append(item["Names"][0].lstrip("/"))
                self.discard(item["Id"], gently=True)
            scope = {"filters": {"label": [f"{LABEL_PROJECT}={project}"]}}
            for network in self.http.request("GET", "/networks", scope):
                self.http.request("DELETE", f"/networks/{network['Id']}", absent_ok=True)
                removed["networks"].append(network["Name"])
            if volumes:
                for volume in self.http.request("GET", "/volumes", scope)["Volumes"] or []:
                    self.http.request("DELETE", f"/volumes/{quote(volume['Name'])}", absent_ok=True)
                    removed["volumes"].append(volume["Name"])
            self.state.removed(project)
        return {"project": project, "removed": {k: sorted(v) for k, v in removed.items()}}

    def sandbox(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one throw-away container."""
        sandbox = parse_sandbox(request, self.policy)
        image_id = self.image_id(sandbox["image"])
        if image_id is None:
            raise _missing([sandbox["image"]])
        return sandbox_run.run(self.http, sandbox, image_id)

    def sweep(self) -> int:
        """Remove sandboxes whose owner died; return how many."""
        return sandbox_run.sweep(self.http)

    def image_id(self, name: str) -> str | None:
        """Return the id of an image that the engine has, else None."""
        found = self.http.request("GET", f"/images/{quote(name)}/json", absent_ok=True)
        return None if found is None else str(found["Id"])

    def images(self, project: dict[str, Any]) -> dict[str, str]:
        """Return the ids of the project's images, as far as the engine has them."""
        names = {service["image"] for service in project["services"].values()}
        found = {name: self.image_id(name) for name in sorted(names)}
        return {name: image_id for name, image_id in found.items() if image_id is not None}

    def listed(self, project: str) -> list[dict[str, Any]]:
        """List all containers of the project, stopped and former ones too."""
        scope = {"all": 1, "filters": {"label": [f"{LABEL_PROJECT}={project}"]}}
        found: list[dict[str, Any]] = self.http.request("GET", "/containers/json", scope)
        return sorted(found, key=lambda item: str(item["Names"]))

    def current(self, project: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the facts about the project's containers, and what inspect says of each."""
        facts, inspected = [], []
        for item in self.listed(project):
            raw = self.inspect(item["Id"])
            if raw is not None and not raw["Name"].endswith(PREVIOUS):
                facts.append(_facts(raw))
                inspected.append(raw)
        return facts, inspected

    def inspect(self, container: str) -> dict[str, Any] | None:
        """Inspect a container; None if it is gone."""
        found: dict[str, Any] | None = self.http.request(
            "GET", f"/containers/{quote(container)}/json", absent_ok=True
        )
        return found

    def discard(self, container: str, gently: bool = False) -> None:
        """Remove a container with its anonymous volumes; gently stops it first."""
        if gently:
            self.stop(container)
        query = {"force": 1, "v": 1}
        self.http.request("DELETE", f"/containers/{quote(container)}", query, absent_ok=True)

    def stop(self, container: str) -> None:
        """Stop a container within its own grace time."""
        raw = self.inspect(container)
        if raw is not None and raw["State"]["Status"] in ("running", "restarting", "paused"):
            grace = raw["Config"].get("StopTimeout")
            patience = self.http.timeout + (10 if grace is None else grace)
            path = f"/containers/{quote(container)}/stop"
            self.http.request("POST", path, timeout=patience, absent_ok=True)


def _facts(raw: dict[str, Any]) -> dict[str, Any]:
    labels = raw["Config"]["Labels"] or {}
    try:
        spec = json.loads(labels.get(LABEL_SPEC, "null"))
    except ValueError:
        spec = None
    return {
        "id": raw["Id"],
        "name": raw["Name"].lstrip("/"),
        "service": labels.get(LABEL_SERVICE, ""),
        "state": raw["State"]["Status"],
        "health": (raw["State"].get("Health") or {}).get("Status", ""),
        "exit_code": raw["State"]["ExitCode"],
        "image_id": labels.get(LABEL_IMAGE, raw["Image"]),
        "config_hash": labels.get(LABEL_HASH, ""),
        "spec": spec,
    }


def _missing(names: list[str]) -> EngineError:
    return EngineError(
        "image_missing",
        f"the engine has no image {', '.join(names)}; expected it to be loaded before",
        {"images": names},
    )


def _checked(project: str) -> str:
    """Refuse what cannot be a project's name: it becomes part of a file's name."""
    if not isinstance(project, str) or not PROJECT_NAME.fullmatch(project):
        raise TemplateError([f"project: {show(project)}; expected a project's name"])
    return project
