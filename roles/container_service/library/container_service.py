#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""One service of one host, brought to what the release says behind the health gate, with the ladder below it."""

from __future__ import annotations

import fcntl
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.docker_engine import Engine, EngineError
from ansible.module_utils.edge_runtime import Edge, EdgeError
from ansible.module_utils.service_journal import Journal, write_metrics
from ansible.module_utils.service_ladder import FAILED, UNCHANGED, InPlace, Slots

DOCUMENTATION = r"""
module: container_service
short_description: Deploy one containerized service behind a gate, falling back candidate by candidate
description:
  - Tries the candidates in order. The first that passes its gate stays; where none does, what served before is put back.
  - With C(slots), the candidate is gated beside the running container, and the edge switches to it without losing a request.
  - A gate that fails is not a failed module; C(outcome) says what became of the service, and the role fails the play.
options:
  service: {description: The service's name in journals and reports., type: str, required: true}
  release: {description: The release that is being deployed., type: str, required: true}
  name: {description: The container's name; needed without slots., type: str}
  common: {description: What all candidates share; see the role's README., type: dict, default: {}}
  candidates: {description: Descriptions of containers, the wanted one first., type: list, elements: dict, required: true}
  gate: {description: Seconds C(first_success) and C(hold)., type: dict, default: {}}
  slots: {description: Containers by slot., type: dict}
  edge_socket: {description: The edge's admin socket., type: path}
  edge_backend: {description: The backend that holds the slots., type: str, default: agentcore}
  drain_seconds: {description: How long the old slot may finish., type: int, default: 30}
  journal_dir: {description: Where journals live., type: path, required: true}
  textfile_dir: {description: Where the metrics of the journals go., type: path, required: true}
  docker_socket: {description: The engine's socket., type: path, default: /var/run/docker.sock}
author: AGENTCore
"""

RETURN = r"""
outcome: {description: unchanged deployed fallback restored or failed., type: str, returned: always}
flavor: {description: native or python, type: str, returned: always}
incidents: {description: Evidence of each gate that failed., type: list, returned: always}
"""

ARGUMENTS = {
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "name": {"type": "str"},
    "common": {"type": "dict", "default": {}},
    "candidates": {"type": "list", "elements": "dict", "required": True},
    "gate": {"type": "dict", "default": {}},
    "slots": {"type": "dict"},
    "edge_socket": {"type": "path"},
    "edge_backend": {"type": "str", "default": "agentcore"},
    "drain_seconds": {"type": "int", "default": 30},
    "journal_dir": {"type": "path", "required": True},
    "textfile_dir": {"type": "path", "required": True},
    "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
}


def ladder(wanted, engine, journal):
    """The movement that fits the service."""
    arguments = (
        engine,
        wanted["service"],
        wanted["release"],
        wanted["common"],
        wanted["candidates"],
        wanted["gate"],
        journal,
    )
    if wanted["slots"]:
        edge = Edge(wanted["edge_socket"], wanted["edge_backend"])
        return Slots(*arguments, slots=wanted["slots"], edge=edge, drain_seconds=wanted["drain_seconds"])
    return InPlace(*arguments)


def lock(module, directory):
    """One deployment of a host at a time: two would stop each other's candidates."""
    os.makedirs(directory, exist_ok=True)
    handle = open(os.path.join(directory, ".lock"), "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        module.fail_json(msg="another deployment is at work on this host (it holds %s/.lock); wait for it to end" % directory)
    return handle


def main():
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[("name", "slots")],
        required_together=[("slots", "edge_socket")],
    )
    wanted = module.params
    if not wanted["candidates"]:
        module.fail_json(msg="candidates is empty: give at least the description of the wanted container")
    engine = Engine(wanted["docker_socket"])
    named = [] if wanted["slots"] else [wanted["name"]]
    try:
        if module.check_mode:
            journal = Journal(wanted["journal_dir"], wanted["service"])
            step = ladder(wanted, engine, journal).plan(*named)
            changed = step != UNCHANGED
            module.exit_json(
                changed=changed,
                outcome=step,
                service=wanted["service"],
                flavor=wanted["candidates"][0].get("flavor", ""),
                incidents=[],
                diff={"before": "", "after": "%s: %s\n" % (wanted["service"], step)} if changed else {},
            )
        with lock(module, wanted["journal_dir"]):
            journal = Journal(wanted["journal_dir"], wanted["service"])
            result = ladder(wanted, engine, journal).run(*named)
            if result["outcome"] != UNCHANGED:
                write_metrics(wanted["journal_dir"], wanted["textfile_dir"])
        module.exit_json(**result)
    except (EngineError, EdgeError, ValueError, OSError) as error:
        module.fail_json(msg="%s: %s" % (wanted["service"], error), outcome=FAILED, incidents=[])


if __name__ == "__main__":
    main()
