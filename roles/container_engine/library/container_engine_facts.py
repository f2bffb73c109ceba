#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""What the host's Docker engine says of itself, or why it does not answer."""

from __future__ import annotations

import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.docker_engine import Engine, EngineError

DOCUMENTATION = r"""
module: container_engine_facts
short_description: Ask the Docker engine for its version
options:
  socket: {description: The engine's socket., type: path, default: /var/run/docker.sock}
author: AGENTCore
"""

RETURN = r"""
answers: {description: Whether the engine answers., type: bool, returned: always}
installed: {description: Whether an engine is installed at all., type: bool, returned: always}
version: {description: The engine's version., type: str, returned: always}
socket_gid: {description: The group that may use the socket., type: int, returned: always}
reason: {description: Why it does not answer., type: str, returned: always}
"""


def main():
    module = AnsibleModule(
        argument_spec={"socket": {"type": "path", "default": "/var/run/docker.sock"}}, supports_check_mode=True
    )
    socket_path = module.params["socket"]
    facts = {
        "answers": False,
        "installed": bool(module.get_bin_path("dockerd", opt_dirs=["/usr/sbin", "/usr/local/bin"])),
        "version": "",
        "socket_gid": 0,
        "reason": "",
    }
    try:
        facts["version"] = Engine(socket_path, timeout=20).version()["Version"]
        facts["answers"] = True
        facts["socket_gid"] = os.stat(socket_path).st_gid
    except EngineError as error:
        facts["reason"] = str(error)
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
