"""Task ``image_ship``: brings a release's images to one host, sending only what it lacks.

An action, because the archive is composed on the control host from what the host's engine says
it has. On a local connection the engine is fed from the release's blobs directly, with no copy.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# A role's module_utils are found for modules alone; an action must look for itself.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))

from agentcore_ship import release as releases  # noqa: E402
from agentcore_ship.archive import Shipment, chains_of, compose, packed, stream  # noqa: E402
from agentcore_ship.errors import ShipError  # noqa: E402
from agentcore_ship.release import Image, Release  # noqa: E402

DISPLAY = Display()
MODULE = "image_ship_engine"
MEGABYTE = 1_000_000
# Room for the engine's own bookkeeping beside the layers.
SLACK_BYTES = 16 * MEGABYTE
# What the engine's client says when an archive was sent but not accepted.
REFUSED = "cannot load the images"
STALE_SECONDS = 24 * 3600
ARGUMENTS = {
    "release_dir": {"type": "path", "required": True},
    "images": {"type": "list", "elements": "str", "default": []},
    "socket": {"type": "path", "default": "/var/run/docker.sock"},
    "record": {"type": "path", "required": True},
    "cache_dir": {"type": "path", "required": True},
    "compress": {"type": "bool", "default": True},
    "keep_releases": {"type": "int", "default": 3},
    "keep_refs": {"type": "list", "elements": "str", "default": []},
    "keep_named_in": {"type": "list", "elements": "path", "default": []},
    "timeout": {"type": "float", "default": 600},
}


class ActionModule(ActionBase):  # type: ignore[misc]
    """Ships images to the task's host, or in check mode says what would be sent."""

    _supports_check_mode = True
    _supports_async = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return ``images`` (by key), ``loaded``, ``removed``, ``bytes_sent``, ``seconds``."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, self._args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        self._vars = task_vars or {}
        self._host = str(self._vars.get("inventory_hostname", "host"))
        start = time.monotonic()
        try:
            result.update(self._ship())
        except ShipError as error:
            raise AnsibleActionFail(f"{self._host}: {error}") from error
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        result["seconds"] = round(time.monotonic() - start, 3)
        return result

    def _ship(self) -> dict[str, Any]:
        release = releases.read(Path(self._args["release_dir"]))
        wanted = release.select(self._args["images"])
        host = self._module("query")
        absent, tags = _compare(wanted, host)
        newest = host["shipped"][-1] if host["shipped"] else {"id": "", "refs": []}
        noted = newest["id"] == release.id and {i.ref for i in wanted} <= set(newest["refs"])
        shipment = compose(
            release, absent, chains_of(one["layers"] for one in host["images"]), host["containerd"]
        )
        # The engine's own ids, which differ from the release's on containerd's image store.
        ids = {tag: one["id"] for one in host["images"] for tag in one["tags"]}
        answer = {
            "release": release.id,
            "images": {one.key: {"ref": one.ref, "id": ids.get(one.ref, one.id)} for one in wanted},
            "loaded": [one.key for one in absent],
            "removed": [],
            "bytes_sent": 0,
            "fallback": False,
            "changed": bool(absent or tags or not noted),
            "msg": _message(self._host, release, shipment),
        }
        if not answer["changed"]:
            return answer
        if self._task.check_mode:
            return {**answer, "bytes_sent": shipment.size}
        if absent:
            DISPLAY.display(f"  {answer['msg']}")
        answer.update(self._deliver(release, wanted, shipment, tags, host))
        return answer

    def _deliver(
        self,
        release: Release,
        wanted: list[Image],
        shipment: Shipment,
        tags: list[dict[str, str]],
        host: dict[str, Any],
    ) -> dict[str, Any]:
        request = {
            "images": [one.as_dict() for one in wanted],
            "tags": tags,
            "release": release.id,
            "keep_releases": self._args["keep_releases"],
            "keep_refs": self._args["keep_refs"],
            "keep_named_in": self._args["keep_named_in"],
        }
        try:
            sent, done = self._send(shipment, request, host)
            fallback = False
        except ShipError as error:
            if REFUSED not in str(error):
                raise
            whole = compose(release, shipment.images, set(), full=True)
            if whole.layers == shipment.layers:
                raise
            # This engine wants every layer even if it has it: rare, so worth one more try.
            DISPLAY.warning(f"{self._host}: the engine refused a thin archive; sending it whole")
            sent, done = self._send(whole, request, host)
            fallback = True
        ids = {one.key: {"ref": one.ref, "id": done["ids"][one.key]} for one in wanted}
        return {"bytes_sent": sent, "fallback": fallback, "removed": done["removed"], "images": ids}

    def _send(
        self, shipment: Shipment, request: dict[str, Any], host: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        if not shipment.images:
            return 0, self._module("load", **request)
        if self._connection.transport == "local":
            self._check_space(shipment, host["root"], host["space"], "", 0)
            members = [vars(member) for member in shipment.members]
            manifest = shipment.manifest()
            return shipment.size, self._module(
                "load", manifest=manifest, members=members, **request
            )
        archive = self._archive(shipment)
        size = archive.stat().st_size
        folder = self._make_tmp_path()
        space = self._module("space", paths=[host["root"], folder])["space"]
        self._check_space(shipment, host["root"], space, folder, size)
        remote = self._transfer_file(
            str(archive), self._connection._shell.join_path(folder, "images")
        )
        self._fixup_perms2((folder, remote))
        return size, self._module("load", archive=remote, **request)

    def _archive(self, shipment: Shipment) -> Path:
        """Return the archive of a shipment; hosts that lack the same are sent the same file."""
        suffix = ".tar.gz" if self._args["compress"] else ".tar"
        names = "".join(member.name for member in shipment.members)
        folder = Path(self._args["cache_dir"])
        path = folder / (hashlib.sha256(names.encode()).hexdigest()[:32] + suffix)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.tar*"):
            if time.time() - old.stat().st_mtime > STALE_SECONDS:
                old.unlink(missing_ok=True)
        # The tasks of many hosts run at once: one makes the file, the others wait for it.
        with (folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.is_file():
                path.touch()
                return path
            part = path.with_suffix(".part")
            pieces = stream(shipment.manifest(), shipment.members)
            try:
                with part.open("wb") as sink:
                    for piece in packed(pieces) if self._args["compress"] else pieces:
                        sink.write(piece)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        return path

    def _check_space(
        self,
        shipment: Shipment,
        root: str,
        space: dict[str, dict[str, int]],
        folder: str,
        archive_size: int,
    ) -> None:
        """Refuse before anything is sent. The engine unpacks an archive before it keeps it."""
        need = 2 * shipment.size + SLACK_BYTES
        if folder and space[folder]["device"] == space[root]["device"]:
            need += archive_size
        elif folder and space[folder]["free"] < archive_size:
            raise ShipError(folder, _room(archive_size, space[folder]["free"]))
        if space[root]["free"] < need:
            raise ShipError(root, _room(need, space[root]["free"]), "nothing was sent")

    def _module(self, state: str, **args: Any) -> dict[str, Any]:
        common = {key: self._args[key] for key in ("socket", "record", "timeout")}
        answer: dict[str, Any] = self._execute_module(
            module_name=MODULE,
            module_args={"state": state, **common, **args},
            task_vars=self._vars,
        )
        if answer.get("failed"):
            raise ShipError(f"image_ship {state}", str(answer.get("msg") or answer))
        return answer


def _compare(wanted: list[Image], host: dict[str, Any]) -> tuple[list[Image], list[dict[str, str]]]:
    """Return the images that the host lacks, and the names that it only has to give."""
    by_tag = {tag: one for one in host["images"] for tag in one["tags"]}
    ids = {one["id"] for one in host["images"]}
    absent, tags = [], []
    for image in wanted:
        named = by_tag.get(image.ref)
        if host["containerd"]:
            present = named is not None and tuple(named["layers"]) == image.layers
        else:
            present = named is not None and named["id"] == image.id
        if present:
            continue
        if image.id in ids and not host["containerd"]:
            tags.append({"id": image.id, "ref": image.ref})
        else:
            absent.append(image)
    return absent, tags


def _room(need: int, free: int) -> str:
    return f"needs {need // MEGABYTE + 1} MB, has {free // MEGABYTE} MB"


def _message(host: str, release: Release, shipment: Shipment) -> str:
    if not shipment.images:
        return f"{host}: has all images of release {release.id}"
    names = ", ".join(one.key for one in shipment.images)
    return (
        f"{host}: lacks {names}: {shipment.size / MEGABYTE:.1f} MB in {len(shipment.layers)} layers"
    )
