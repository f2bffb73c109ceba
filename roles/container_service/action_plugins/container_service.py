# Apache-2.0 (see LICENSE)
"""Runs the container_service module on the host and files the evidence of failed gates on the control host.

Evidence must outlive the container it tells of, and the host too. It is written here, in the same task, so that an
interrupted play has it; the result then carries the folder's name instead of the bulk.
"""

from __future__ import annotations

import json
import os
import time

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """Adds the argument `incident_dir`: the folder on the control host that incidents are filed under."""

    _requires_connection = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        incident_dir = arguments.pop("incident_dir", None)
        if not incident_dir:
            raise AnsibleActionFail("container_service: incident_dir is missing: name the folder that evidence is filed under")
        result.update(self._execute_module(module_name="container_service", module_args=arguments, task_vars=task_vars))
        host = task_vars["inventory_hostname"]
        for incident in result.get("incidents", []):
            folder = self.file_incident(incident_dir, host, incident)
            incident["folder"] = folder
            incident.pop("evidence", None)
            Display().warning(
                "%s: %s: step %s (%s) refused: %s. Evidence: %s"
                % (host, incident["service"], incident["step"], incident["flavor"], incident["reason"], folder)
            )
        result.pop("invocation", None)
        return result

    def file_incident(self, incident_dir, host, incident):
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        name = "%s-%s-%s-step%s-%s" % (stamp, host, incident["service"], incident["step"], incident["flavor"] or "any")
        folder = os.path.join(incident_dir, name)
        os.makedirs(folder, exist_ok=True)
        evidence = incident["evidence"]
        summary = {key: value for key, value in incident.items() if key != "evidence"}
        summary["host"] = host
        files = {
            "incident.json": json.dumps(summary, indent=2, sort_keys=True),
            "container.log": evidence["log"],
            "health.json": json.dumps(evidence["health"], indent=2),
            "inspect.json": json.dumps(evidence["inspect"], indent=2),
            "probes.json": json.dumps(evidence["probes"], indent=2),
        }
        for file_name, text in files.items():
            with open(os.path.join(folder, file_name), "w") as file:
                file.write(text + "\n")
        return folder
