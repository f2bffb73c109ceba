#!/usr/bin/env python3
"""Dynamic inventory of the running lab: reads build/lab/<name>/lab.json, which `make lab` writes.

The lab is `aclab`, or the one that the environment variable AGENTCORE_LAB names. Without a lab the
inventory is an error, or empty if AGENTCORE_LAB_OPTIONAL is true (for what makes the lab first).
All values that are the same for every host stand in group_vars/; this script adds what differs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def inventory(folder: Path) -> dict[str, Any]:
    """The inventory in Ansible's own JSON form, hosts in the order of their numbers."""
    lab = json.loads((folder / "lab.json").read_text())
    hosts = sorted(lab["hosts"], key=lambda host: int(host[1:]))
    variables = {
        host: {
            "ansible_port": lab["hosts"][host]["ports"]["22"],
            "lab_address": lab["hosts"][host]["address"],
            "lab_ports": lab["hosts"][host]["ports"],
            "lab_suite": lab["hosts"][host]["suite"],
        }
        for host in hosts
    }
    return {
        "agentcore_hosts": {"hosts": hosts},
        "prometheus": {"hosts": hosts[:1]},
        "all": {"vars": {"lab_dir": str(folder)}},
        "_meta": {"hostvars": variables},
    }


def main() -> int:
    """Prints the inventory; exit 1 with one sentence if there is no lab."""
    name = os.environ.get("AGENTCORE_LAB", "aclab")
    folder = Path(__file__).resolve().parents[2] / "build" / "lab" / name
    try:
        print(json.dumps(inventory(folder), indent=2))
    except FileNotFoundError:
        if os.environ.get("AGENTCORE_LAB_OPTIONAL") == "true":
            print(json.dumps({"agentcore_hosts": {"hosts": []}, "prometheus": {"hosts": []}}))
            return 0
        print(
            f"no lab named {name} is running (there is no {folder}/lab.json): run `make lab`",
            file=sys.stderr,
        )
        return 1
    except (KeyError, ValueError) as error:
        print(f"{folder}/lab.json is damaged ({error!r}): run `make lab-down lab`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
