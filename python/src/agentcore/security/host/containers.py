"""The containers of the Docker engine, from the files it keeps of each.

They are ``<data root>/containers/<id>/{config.v2.json,hostconfig.json}``. Reading files needs
no Docker socket, which would make the auditor the weakest container of all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentcore.security.contract import Outcome, not_applicable, unknown
from agentcore.security.host.tree import Host, UnreadableError
from agentcore.security.host.words import strict_json

_FILES = ("config.v2.json", "hostconfig.json")


class MissingError(Exception):
    """A field that a rule needs is not there: unknown, never a pass."""


@dataclass(frozen=True, order=True, slots=True)
class Bind:
    """A host path bound into a container."""

    source: str
    destination: str
    writable: bool
    recursive: bool


@dataclass(frozen=True, slots=True)
class Container:
    """A container's declared configuration; ``problem`` says why its files cannot be used."""

    name: str
    problem: str | None
    config: dict[str, Any]
    host_config: dict[str, Any]

    @property
    def is_running(self) -> bool:
        """It runs now; a stopped container exposes nothing."""
        running = _object(self.config.get("State")).get("Running")
        return running if isinstance(running, bool) else True

    @property
    def image(self) -> tuple[str, str]:
        """The image it was made from, as named and as hashed."""
        return _text(self.inner("Image")), _text(self.config.get("Image"))

    def inner(self, key: str) -> Any:
        """A field of the container's own configuration (``Config`` of ``docker inspect``)."""
        return _object(self.config.get("Config")).get(key)

    def flag(self, key: str) -> bool:
        """A yes-or-no field of the host configuration.

        Raises:
            MissingError: it isn't there.
        """
        value = self.host_config.get(key)
        if not isinstance(value, bool):
            raise MissingError(f"hostconfig.json has no {key} of true or false")
        return value

    def text(self, key: str) -> str:
        """A text field of the host configuration.

        Raises:
            MissingError: it isn't there.
        """
        value = self.host_config.get(key)
        if not isinstance(value, str):
            raise MissingError(f"hostconfig.json has no text {key}")
        return value

    def number(self, key: str) -> int:
        """A number of the host configuration; missing and null count as 0, "no limit"."""
        value = self.host_config.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            return 0
        return value if -(2**63) <= value < 2**63 else 0

    def items(self, key: str) -> list[str]:
        """A list of texts of the host configuration; missing and null are empty."""
        return texts(self.host_config.get(key))

    @property
    def binds(self) -> list[Bind]:
        """Host paths bound into the container."""
        points = _object(self.config.get("MountPoints")).values()
        return sorted(bind for bind in map(_bind, points) if bind is not None)

    @property
    def tmpfs(self) -> list[str]:
        """Where an empty file system in memory is mounted (``--tmpfs``, ``--mount type=tmpfs``)."""
        points = map(_object, _object(self.config.get("MountPoints")).values())
        mounted = [point.get("Destination") for point in points if point.get("Type") == "tmpfs"]
        places = [*_object(self.host_config.get("Tmpfs")), *mounted]
        return [place.rstrip("/") for place in places if isinstance(place, str)]


@dataclass(frozen=True, slots=True)
class Containers:
    """What was found in Docker's data root; ``problem`` when that is unknown."""

    engine: bool
    problem: str | None
    known: list[Container]


def read(host: Host) -> Containers:
    """All containers, by name."""
    daemon = host.daemon
    if not daemon.present:
        return Containers(engine=False, problem=None, known=[])
    if daemon.problem is not None:
        return Containers(engine=True, problem=daemon.problem, known=[])
    folder = f"{daemon.data_root}/containers"
    try:
        ids = host.root.list(folder)
    except UnreadableError as problem:
        return Containers(engine=True, problem=str(problem), known=[])
    if ids is None:
        return Containers(engine=True, problem=f"{folder} does not exist", known=[])
    found = (_read_one(host, folder, name) for name in ids)
    known = sorted((one for one in found if one is not None), key=lambda one: one.name)
    return Containers(engine=True, problem=None, known=known)


def _read_one(host: Host, folder: str, container_id: str) -> Container | None:
    """None if it was removed while we read."""
    problems: list[str] = []
    parts: list[dict[str, Any]] = []
    for file in _FILES:
        path = f"{folder}/{container_id}/{file}"
        value: Any = {}
        try:
            text = host.root.read(path)
            if text is None:
                problems.append(f"{path} does not exist")
            else:
                value = strict_json(text)
                if not isinstance(value, dict):
                    raise ValueError  # told the same way as broken JSON
        except UnreadableError as problem:
            problems.append(str(problem))
        except ValueError:
            problems.append(f"{path} is not a JSON object")
            value = {}
        parts.append(value)
    if len(problems) == len(_FILES) and _is_absent(host, f"{folder}/{container_id}/{_FILES[0]}"):
        return None
    name = _text(parts[0].get("Name")).removeprefix("/") or container_id[:12]
    return Container(name, problems[0] if problems else None, parts[0], parts[1])


def _is_absent(host: Host, path: str) -> bool:
    try:
        return host.root.stat(path) is None
    except UnreadableError:
        return False


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The texts of a list; anything else is empty."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _bind(point: Any) -> Bind | None:
    point = _object(point)
    kind = _text(point.get("Type"))
    if kind != "bind" and (kind or _text(point.get("Name"))):
        return None
    writable = point.get("RW")
    spared = _object(_object(point.get("Spec")).get("BindOptions")).get("NonRecursive")
    return Bind(
        _normalize(_text(point.get("Source"))),
        _text(point.get("Destination")).rstrip("/"),
        writable if isinstance(writable, bool) else True,
        not (isinstance(spared, bool) and spared),
    )


def _normalize(path: str) -> str:
    """One spelling for one place: no trailing slash, and ``/var/run`` is ``/run``."""
    path = path.rstrip("/")
    if path == "/var/run" or path.startswith("/var/run/"):
        return "/run" + path[len("/var/run") :]
    return path or "/"


def is_within(path: str, top: str) -> bool:
    """``path`` is ``top`` or lies below it."""
    return top == "/" or path == top or path.startswith(f"{top}/")


def each(host: Host, rule: Callable[[Container], Outcome]) -> list[Outcome]:
    """One outcome a container; what a rule cannot know is an error, never a pass."""
    found = host.containers
    if not found.engine:
        return [not_applicable("containers", "no Docker engine is installed")]
    if found.problem is not None:
        return [unknown("containers", found.problem)]
    if not found.known:
        return [not_applicable("containers", "there are no containers")]
    return [_judge(container, rule) for container in found.known]


def _judge(container: Container, rule: Callable[[Container], Outcome]) -> Outcome:
    if container.problem is not None:
        return unknown(container.name, container.problem)
    if not container.is_running:
        return not_applicable(container.name, "not running")
    try:
        return rule(container)
    except MissingError as problem:
        return unknown(container.name, str(problem))
