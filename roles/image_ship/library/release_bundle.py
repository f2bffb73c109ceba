#!/usr/bin/python
"""Packs a release into one verified file, or opens such a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release_bundle
short_description: Pack a release into one file with a manifest of hashes, or verify and open one
description:
  - C(packed) writes C(agentcore-<release id>.tar), the same bytes for the same release.
  - C(opened) verifies the hash and size of every file before any of them is put to use; a
    damaged bundle leaves the folder as it was.
options:
  state: {description: What shall be., choices: [packed, opened], required: true, type: str}
  release_dir: {description: The release's folder., required: true, type: path}
  bundle_dir: {description: Where C(packed) writes., type: path}
  bundle: {description: The file that C(opened) reads., type: path}
author: AGENTCore
"""
EXAMPLES = r"""
- name: Pack the release
  release_bundle: {state: packed, release_dir: build/release, bundle_dir: build}
- name: Open a bundle
  release_bundle: {state: opened, bundle: agentcore-0.1.0-1234abcd.tar, release_dir: build/opened}
"""
RETURN = r"""
bundle: {description: The file., returned: success, type: str}
release_id: {description: The id of the release in it., returned: success, type: str}
size: {description: Its size in bytes., returned: success, type: int}
"""

from pathlib import Path

from ansible.module_utils.agentcore_ship import release as releases
from ansible.module_utils.agentcore_ship.bundle import bundle_name, open_bundle, pack
from ansible.module_utils.agentcore_ship.errors import ShipError
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Run as a module."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "required": True, "choices": ["packed", "opened"]},
            "release_dir": {"type": "path", "required": True},
            "bundle_dir": {"type": "path"},
            "bundle": {"type": "path"},
        },
        required_if=[("state", "packed", ["bundle_dir"]), ("state", "opened", ["bundle"])],
        supports_check_mode=True,
    )
    args = module.params
    folder = Path(args["release_dir"])
    try:
        if args["state"] == "packed":
            release_id = releases.read(folder).id
            bundle = Path(args["bundle_dir"]) / bundle_name(release_id)
            changed = not bundle.exists() if module.check_mode else pack(folder, bundle)
        else:
            bundle = Path(args["bundle"])
            if module.check_mode:
                # Verified as always, but put beside nothing that anybody uses.
                release_id, changed = open_bundle(bundle, Path(module.tmpdir) / "release")
            else:
                release_id, changed = open_bundle(bundle, folder)
        size = bundle.stat().st_size if bundle.exists() else 0
    except (ShipError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, bundle=str(bundle), release_id=release_id, size=size)


if __name__ == "__main__":
    main()
