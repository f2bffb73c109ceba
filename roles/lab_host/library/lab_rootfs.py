"""Makes one host system of the lab: a Debian tree by mmdebstrap, cached, imported as an image."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_engine import EngineError, docker, inspect
from ansible.module_utils.lab_plan import digest

DOCUMENTATION = r"""
module: lab_rootfs
short_description: Make and import the root file system of a lab host
description:
  - Builds a Debian root file system with mmdebstrap, keeps the tar under its hash and imports it
    as an image.
  - The hash covers the suite, the packages, the mirror and the recipe; the same inputs are never
    built twice.
author: [AGENTCore contributors]
options:
  suite: {description: Debian suite., type: str, required: true}
  packages: {description: Packages to include., type: list, elements: str, required: true}
  mirror: {description: Debian mirror; empty for the default., type: str, default: ""}
  cache_dir: {description: Folder of the cached tars., type: path, required: true}
  state: {description: Make it or remove it., type: str, choices: [present, absent], default:
  present}
"""
RETURN = r"""
image: {description: Name of the image., type: str, returned: always}
tar: {description: The cached root file system., type: str, returned: always}
"""

REPOSITORY = "agentcore-lab"
#: Runs on the finished tree. Host keys and machine ids are each host's own, so none may be in the
#: shared image.
CUSTOMIZE = r"""set -eu
cd "$1"
rm -f etc/ssh/ssh_host_* var/lib/dbus/machine-id
: > etc/machine-id
for unit in getty@tty1.service console-getty.service apt-daily.timer apt-daily-upgrade.timer \
    e2scrub_all.timer fstrim.timer dpkg-db-backup.timer systemd-timesyncd.service; do
  ln -sf /dev/null "etc/systemd/system/$unit"
done
mkdir -p etc/ssh/sshd_config.d
printf '%s\n' 'PasswordAuthentication no' 'PermitRootLogin prohibit-password' \
  'UseDNS no' 'MaxStartups 100' > etc/ssh/sshd_config.d/lab.conf"""
DEBOOTSTRAP_TIMEOUT = 900


def bootstrap(tar: Path, suite: str, packages: list[str], mirror: str) -> None:
    """Writes the tar, all or nothing. Raises EngineError with mmdebstrap's last lines."""
    for left in tar.parent.glob(f"{tar.name}.part-*"):
        left.unlink()  # Of a killed run: the caller holds the lock, so nobody writes it now.
    draft = tar.with_name(f"{tar.name}.part-{os.getpid()}")
    command = [
        "mmdebstrap",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(packages)}",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--customize-hook={CUSTOMIZE}",
        suite,
        str(draft),
        *([mirror] if mirror else []),
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=DEBOOTSTRAP_TIMEOUT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise EngineError(
                f"mmdebstrap of {suite} failed (is the mirror reachable?): "
                f"{done.stderr.strip()[-1500:]}"
            )
        draft.rename(tar)
    except FileNotFoundError as error:
        raise EngineError("mmdebstrap is not installed: apt-get install mmdebstrap") from error
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"mmdebstrap of {suite} did not end within {DEBOOTSTRAP_TIMEOUT} s"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def present(module: AnsibleModule, tar: Path, image: str) -> bool:
    """Makes what is missing of tar and image; says whether anything was."""
    if inspect("image", image) is not None:
        return False
    if module.check_mode:
        return True
    tar.parent.mkdir(parents=True, exist_ok=True)
    # Two labs may be made at once (one by hand, one by the tests): the second waits and finds the
    # work done.
    with tar.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if inspect("image", image) is not None:
            return False
        if not tar.exists():
            bootstrap(
                tar, module.params["suite"], module.params["packages"], module.params["mirror"]
            )
        docker("import", str(tar), image, timeout=300)
    return True


def absent(module: AnsibleModule, tar: Path, image: str) -> bool:
    """Removes tar and image; says whether there was anything."""
    found = inspect("image", image) is not None or tar.exists()
    if found and not module.check_mode:
        if inspect("image", image) is not None:
            docker("image", "rm", image)
        tar.unlink(missing_ok=True)
        tar.with_suffix(".lock").unlink(missing_ok=True)
    return found


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "suite": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "required": True},
            "mirror": {"type": "str", "default": ""},
            "cache_dir": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    suite: str = module.params["suite"]
    module.params["packages"] = sorted(set(module.params["packages"]))
    recipe: dict[str, Any] = {
        "suite": suite,
        "packages": module.params["packages"],
        "mirror": module.params["mirror"],
        "customize": CUSTOMIZE,
    }
    name = f"{suite}-{digest(recipe)[:12]}"
    tar = Path(module.params["cache_dir"]) / f"{name}.tar"
    image = f"{REPOSITORY}:{name}"
    act = present if module.params["state"] == "present" else absent
    try:
        changed = act(module, tar, image)
    except (EngineError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, suite=suite, image=image, tar=str(tar))


if __name__ == "__main__":
    main()
