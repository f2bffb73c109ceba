#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""Removes every container, image and (where asked) volume of the appliance from a host, and nothing else."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.container_spec import LABEL_SERVICE, belongs
from ansible.module_utils.docker_engine import Engine, EngineError

DOCUMENTATION = r"""
module: container_uninstall
short_description: Remove the appliance's containers and images
options:
  journal_dir: {description: Where the journals of the appliance live., type: path, required: true}
  volumes: {description: Whether its named volumes go as well., type: bool, default: false}
  docker_socket: {description: The engine's socket., type: path, default: /var/run/docker.sock}
author: AGENTCore
"""

RETURN = r"""
removed: {description: What was removed., type: list, returned: always}
kept_volumes: {description: Volumes that stay., type: list, returned: always}
"""

# The names are the roles' own; volumes carry no label that an engine of every version would keep.
VOLUMES = ("agentcore-state", "agentcore-security-state", "agentcore-orchestrator-state", "agentcore-prometheus-data")


def main():
    module = AnsibleModule(
        argument_spec={
            "journal_dir": {"type": "path", "required": True},
            "volumes": {"type": "bool", "default": False},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    engine = Engine(module.params["docker_socket"])
    removed = []
    try:
        for summary in engine.containers(LABEL_SERVICE):
            if not belongs(summary, module.params["journal_dir"]):
                continue
            removed.append("container %s" % summary["Names"][0].lstrip("/"))
            if not module.check_mode:
                engine.stop(summary["Id"], 10)
                engine.remove(summary["Id"])
        pattern = json.dumps({"reference": ["agentcore/*"]})
        for image in engine.call("GET", "/images/json", query={"filters": pattern}):
            for tag in image["RepoTags"] or []:
                removed.append("image %s" % tag)
                if not module.check_mode:
                    engine.call("DELETE", "/images/%s" % tag, ok=(200, 404))
        present = [volume["Name"] for volume in engine.call("GET", "/volumes")["Volumes"] or []]
        ours = [name for name in VOLUMES if name in present]
        if module.params["volumes"]:
            for name in ours:
                removed.append("volume %s" % name)
                if not module.check_mode:
                    engine.call("DELETE", "/volumes/%s" % name, ok=(204, 404))
            ours = []
    except EngineError as error:
        module.fail_json(msg=str(error), removed=removed)
    module.exit_json(changed=bool(removed), removed=removed, kept_volumes=ours)


if __name__ == "__main__":
    main()
