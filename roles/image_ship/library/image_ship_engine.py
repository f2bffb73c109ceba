#!/usr/bin/python
"""The part of ``image_ship`` that runs on the host: asks its engine, loads, tags, removes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image_ship_engine
short_description: Ask a host's Docker engine for its images, load what is sent, remove old ones
description:
  - Called by the action C(image_ship), which decides what a host lacks. Not meant for playbooks.
options:
  state:
    description: C(query) and C(space) look; C(load) changes.
    choices: [query, space, load]
    required: true
    type: str
  socket: {description: The engine's Unix socket., required: true, type: path}
  timeout: {description: Seconds that an answer may take., type: float, default: 600}
  record: {description: The list of releases sent to this host., required: true, type: path}
  paths: {description: Folders whose free space is asked for., type: list, elements: str}
  archive: {description: The archive on this host to load; it is removed., type: path}
  manifest: {description: The manifest of an archive made here., type: list, elements: dict}
  members: {description: The files of an archive made here., type: list, elements: dict}
  images: {description: The images that shall be there., type: list, elements: dict}
  tags: {description: Names to give to images that are there., type: list, elements: dict}
  release: {description: The release's id., type: str}
  keep_releases: {description: How many releases' images stay., type: int, default: 3}
  keep_refs: {description: Further images that stay., type: list, elements: str}
  keep_named_in: {description: JSON files, or folders of them, the images named in which stay., type: list, elements: path}
author: AGENTCore
"""
EXAMPLES = r"""
- name: See what the engine has
  image_ship_engine:
    state: query
    socket: /run/docker.sock
    record: /var/lib/agentcore/shipped.json
"""
RETURN = r"""
images: {description: Every image with id, tags and layers., returned: query, type: list}
removed: {description: The names that were removed., returned: load, type: list}
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.agentcore_ship import retention
from ansible.module_utils.agentcore_ship.archive import CHUNK, Member, stream
from ansible.module_utils.agentcore_ship.engine import Engine
from ansible.module_utils.agentcore_ship.errors import ShipError
from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "required": True, "choices": ["query", "space", "load"]},
    "socket": {"type": "path", "required": True},
    "timeout": {"type": "float", "default": 600.0},
    "record": {"type": "path", "required": True},
    "paths": {"type": "list", "elements": "str", "default": []},
    "archive": {"type": "path"},
    "manifest": {"type": "list", "elements": "dict", "default": []},
    "members": {"type": "list", "elements": "dict", "default": []},
    "images": {"type": "list", "elements": "dict", "default": []},
    "tags": {"type": "list", "elements": "dict", "default": []},
    "release": {"type": "str", "default": ""},
    "keep_releases": {"type": "int", "default": 3},
    "keep_refs": {"type": "list", "elements": "str", "default": []},
    "keep_named_in": {"type": "list", "elements": "path", "default": []},
}


def query(engine: Engine, args: dict[str, Any]) -> dict[str, Any]:
    """Return what the engine has and what this host was sent before."""
    info = engine.info()
    return {
        **info,
        "images": engine.images(),
        "shipped": retention.read(args["record"]),
        "space": space([info["root"]]),
    }


def space(paths: list[str]) -> dict[str, dict[str, int]]:
    """Return free bytes and device of each folder, or of its nearest parent that exists."""
    found = {}
    for path in paths:
        here = os.path.abspath(path)
        while not os.path.exists(here):
            here = os.path.dirname(here)
        room = os.statvfs(here)
        found[path] = {"free": room.f_bavail * room.f_frsize, "device": os.stat(here).st_dev}
    return found


def load(engine: Engine, args: dict[str, Any]) -> dict[str, Any]:
    """Load and tag what was sent, check it, note the release, remove what is too old."""
    kept = [*args["keep_refs"], *retention.named_in(args["keep_named_in"])]
    if args["archive"]:
        engine.load(_file(args["archive"]))
    elif args["members"]:
        members = [Member(**one) for one in args["members"]]
        engine.load(stream(args["manifest"], members))
    for one in args["tags"]:
        engine.tag(one["id"], one["ref"])
    containerd = engine.info()["containerd"]
    ids = {image["key"]: _checked(engine, image, containerd) for image in args["images"]}
    shipped = retention.noted(
        retention.read(args["record"]), args["release"], [one["ref"] for one in args["images"]]
    )
    old = retention.removable(
        engine.images(), shipped, args["keep_releases"], kept, engine.used_images()
    )
    removed = [ref for ref in old if engine.remove(ref)]
    retention.write(args["record"], shipped[-max(args["keep_releases"], 1) :])
    return {"changed": True, "ids": ids, "removed": removed}


def _file(path: str) -> Iterator[bytes]:
    with open(path, "rb") as source:
        while True:
            piece = source.read(CHUNK)
            if not piece:
                return
            yield piece


def _checked(engine: Engine, image: dict[str, Any], containerd: bool) -> str:
    found = engine.image(image["ref"])
    if found is None:
        raise ShipError(image["ref"], "is not there after loading")
    # containerd's store names an image by its manifest, so only its layers can be compared.
    same = list(found["RootFS"]["Layers"]) == list(image["layers"])
    if not same or (not containerd and found["Id"] != image["id"]):
        raise ShipError(image["ref"], f"is {found['Id']} after loading", f"expected {image['id']}")
    return str(found["Id"])


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    args = module.params
    engine = Engine(args["socket"], args["timeout"])
    try:
        if args["state"] == "query":
            module.exit_json(changed=False, **query(engine, args))
        if args["state"] == "space":
            module.exit_json(changed=False, space=space(args["paths"]))
        module.exit_json(**load(engine, args))
    except (ShipError, OSError) as error:
        module.fail_json(msg=str(error))
    finally:
        if args["archive"]:
            with contextlib.suppress(OSError):
                os.unlink(args["archive"])


if __name__ == "__main__":
    main()
