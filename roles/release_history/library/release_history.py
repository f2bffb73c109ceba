#!/usr/bin/python
# Apache-2.0 (see LICENSE)
"""The good releases of a host, newest first: recorded after a deployment, chosen from for a rollback."""

from __future__ import annotations

import json

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.service_journal import write_atomically

DOCUMENTATION = r"""
module: release_history
short_description: Record a good release of this host, or choose the one to go back to
description:
  - With C(release), puts it first in the history. Without, answers C(choice).
  - The choice is the newest good release that is not the running one; with C(flavor=python), the running release in its
    Python-only flavor.
options:
  path: {description: The history's file., type: path, required: true}
  release: {description: The record of the release that was deployed., type: dict}
  flavor: {description: native or python., type: str, choices: [native, python], default: native}
  journal: {description: The journal of AGENTCore on this host, which tells what runs., type: path}
  keep: {description: Good releases kept., type: int, default: 3}
author: AGENTCore
"""

RETURN = r"""
choice: {description: "{release, flavor} to go back to.", type: dict, returned: without release}
running: {description: What runs now, type: str, returned: without release}
"""


def read(path, default):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return default


def record(module, history):
    entry = {"release": module.params["release"], "flavor": module.params["flavor"]}
    newest = history["good"][0] if history["good"] else None
    if newest == entry:
        module.exit_json(changed=False)
    others = [
        one
        for one in history["good"]
        if (one["release"]["id"], one["flavor"]) != (entry["release"]["id"], entry["flavor"])
    ]
    history["good"] = [entry, *others][: module.params["keep"]]
    if not module.check_mode:
        write_atomically(module.params["path"], json.dumps(history, indent=1, sort_keys=True) + "\n")
    module.exit_json(changed=True)


def choose(module, history):
    journal = read(module.params["journal"], {"good": []})
    current = journal["good"][0] if journal["good"] else {"release": "", "flavor": ""}
    running = "%s (%s)" % (current["release"], current["flavor"])
    if module.params["flavor"] == "python":
        for one in history["good"]:
            if one["release"]["id"] == current["release"]:
                module.exit_json(changed=False, running=running, choice={"release": one["release"], "flavor": "python"})
    for one in history["good"]:
        if (one["release"]["id"], one["flavor"]) != (current["release"], current["flavor"]):
            if module.params["flavor"] == "python":
                one = {"release": one["release"], "flavor": "python"}
            module.exit_json(changed=False, running=running, choice=one)
    module.fail_json(
        msg="%s holds no good release other than the running one, %s: there is nothing to go back to. "
        "Deploy a second release first, or ask for the Python-only image (FLAVOR=python)." % (module.params["path"], running)
    )


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "release": {"type": "dict"},
            "flavor": {"type": "str", "choices": ["native", "python"], "default": "native"},
            "journal": {"type": "path"},
            "keep": {"type": "int", "default": 3},
        },
        required_one_of=[("release", "journal")],
        supports_check_mode=True,
    )
    try:
        history = read(module.params["path"], {"schema": 1, "good": []})
        if module.params["release"]:
            record(module, history)
        choose(module, history)
    except (ValueError, KeyError) as error:
        module.fail_json(msg="%s is damaged (%r); move it away to start a new history" % (module.params["path"], error))


if __name__ == "__main__":
    main()
