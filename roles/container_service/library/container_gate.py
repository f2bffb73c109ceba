#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""The health gate as a module of its own: for a container that something else has started."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.docker_engine import Engine, EngineError
from ansible.module_utils.health_gate import GateFailure, evidence, gate

DOCUMENTATION = r"""
module: container_gate
short_description: Wait until a container is healthy, holds, and answers as expected
description:
  - Requires a healthcheck; a container without one fails.
  - Fails at once when the container exits, restarts or is unhealthy, or when the service answers and is not what is expected.
  - Differs from C(state=healthy) of the Docker modules, which takes a missing healthcheck for health.
options:
  name: {description: Name of the container., type: str, required: true}
  expect:
    description: >-
      What the service itself must answer: C(target) (http://HOST:PORT/PATH or unix:SOCKET:/PATH), C(status),
      C(contains), and C(json), a map of dotted paths (C(*) for every key) to values.
    type: dict
  first_success: {description: Seconds until the first success., type: float, default: 60}
  hold: {description: Seconds to hold after it without a restart., type: float, default: 10}
  docker_socket: {description: The engine's socket., type: path, default: /var/run/docker.sock}
author: AGENTCore
"""

EXAMPLES = r"""
- name: Hold until the monitor agent has passed
  container_gate:
    name: agentcore-monitor-agent
    expect:
      target: http://127.0.0.1:9100/readyz
      json: {implementation: native}
"""

RETURN = r"""
gate: {description: Seconds in all and to the first success., type: dict, returned: success}
evidence: {description: Log, health history and inspect record., type: dict, returned: failure}
"""


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "expect": {"type": "dict"},
            "first_success": {"type": "float", "default": 60},
            "hold": {"type": "float", "default": 10},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    wanted = module.params
    engine = Engine(wanted["docker_socket"])
    try:
        if module.check_mode:
            module.exit_json(changed=False, gate={})
        passed = gate(
            engine,
            wanted["name"],
            wanted["expect"],
            {"first_success": wanted["first_success"], "hold": wanted["hold"]},
        )
        module.exit_json(changed=False, gate=passed)
    except GateFailure as failure:
        module.fail_json(
            msg="%s did not pass its gate: %s" % (wanted["name"], failure),
            evidence=evidence(engine, wanted["name"], wanted["expect"]),
        )
    except EngineError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
