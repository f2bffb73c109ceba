#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""What the appliance runs on a host, as the engine, the journals and the services themselves tell it."""

from __future__ import annotations

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.container_spec import LABEL_FLAVOR, LABEL_SERVICE, LABEL_SPEC, belongs
from ansible.module_utils.docker_engine import Engine, EngineError
from ansible.module_utils.health_gate import probe
from ansible.module_utils.service_journal import Journal

DOCUMENTATION = r"""
module: container_status
short_description: List the services of a host with flavor, version, health and drift
options:
  journal_dir: {description: Where journals live., type: path, required: true}
  addresses: {description: Address of each service as shown and probed, type: dict, default: {}}
  docker_socket: {description: The engine's socket., type: path, default: /var/run/docker.sock}
author: AGENTCore
"""

RETURN = r"""
services: {description: "One record a service: service flavor version release health address container drift.", type: list, returned: always}
"""


def version_of(address):
    """The version and the implementation that the service itself reports at /readyz, where it has such a route."""
    if not address:
        return "", ""
    answer = probe(address.rstrip("/") + "/readyz")
    try:
        body = json.loads(answer["body"])
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return body.get("version", ""), body.get("flavor") or body.get("implementation", "")


def drift_of(record, journal):
    """In a word, how the container differs from what the journal says should run."""
    current = journal.current
    if current is None:
        return "not in the journal"
    if record["Config"]["Labels"].get(LABEL_SPEC) != current["spec_hash"]:
        return "runs something else than was deployed"
    return ""


def row(engine, journal_dir, addresses, summary):
    service = summary["Labels"][LABEL_SERVICE]
    record = engine.inspect(summary["Id"])
    state = record["State"]
    journal = Journal(journal_dir, service)
    address = addresses.get(service, "")
    version, flavor = version_of(address) if state["Running"] else ("", "")
    labels = record["Config"]["Labels"]
    return {
        "service": service,
        "container": record["Name"].lstrip("/"),
        "flavor": flavor or labels.get(LABEL_FLAVOR, ""),
        "version": version or labels.get("org.opencontainers.image.version", ""),
        "release": journal.current["release"] if journal.current else "",
        "health": (state.get("Health") or {}).get("Status", "none") if state["Running"] else "stopped",
        "started_at": state["StartedAt"],
        "restarts": record["RestartCount"],
        "address": address,
        "drift": drift_of(record, journal),
    }


def main():
    module = AnsibleModule(
        argument_spec={
            "journal_dir": {"type": "path", "required": True},
            "addresses": {"type": "dict", "default": {}},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    engine = Engine(wanted["docker_socket"])
    try:
        rows = [
            row(engine, wanted["journal_dir"], wanted["addresses"], summary)
            for summary in engine.containers(LABEL_SERVICE)
            # The slot that was retired stays, stopped, for whoever wants to look; it is no service.
            if summary["State"] == "running" and belongs(summary, wanted["journal_dir"])
        ]
        expected = sorted(
            name[: -len(".json")]
            for name in (os.listdir(wanted["journal_dir"]) if os.path.isdir(wanted["journal_dir"]) else [])
            if name.endswith(".json")
        )
    except (EngineError, ValueError) as error:
        module.fail_json(msg=str(error))
    for service in expected:
        if not any(one["service"] == service for one in rows):
            rows.append(
                {
                    "service": service, "container": "", "flavor": "", "version": "", "release": "", "health": "absent",
                    "started_at": "", "restarts": 0, "address": wanted["addresses"].get(service, ""),
                    "drift": "deployed once, does not run now",
                }
            )
    module.exit_json(changed=False, services=sorted(rows, key=lambda one: one["service"]))


if __name__ == "__main__":
    main()
