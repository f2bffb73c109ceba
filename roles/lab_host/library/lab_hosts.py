"""Brings a lab to the wanted shape: network, hosts, key, known_hosts; or takes it all away."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils import lab_engine, lab_plan, lab_ready
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_engine import LABEL, SPEC, EngineError, docker

DOCUMENTATION = r"""
module: lab_hosts
short_description: Make or remove a lab of systemd containers that stand for fleet hosts
description:
  - Every host has systemd, sshd and an own Docker engine. It is reached over SSH on the control
    machine's loopback.
  - A host whose specification changed is made anew; the others are left as they are.
author: [AGENTCore contributors]
options:
  name: {description: Prefix of everything in the lab., type: str, required: true}
  state: {description: Make it or remove it., type: str, choices: [present, absent], default:
  present}
  count: {description: Number of hosts., type: int, default: 3}
  suites: {description: Debian suites, in turn., type: list, elements: str, default: [bookworm]}
  images: {description: Image of each suite., type: dict, default: {}}
  published_ports: {description: Ports published on loopback., type: list, elements: int, default:
  [22]}
  port_range: {description: First and last loopback port., type: list, elements: int, default:
  [20000, 31999]}
  address_pool: {description: Where a free /24 is taken from., type: str, default: 10.213.0.0/16}
  memory: {description: Memory limit of a host., type: str, default: 2g}
  state_dir: {description: Folder of the key, known_hosts and lab.json., type: path, required: true}
  timeout: {description: Seconds until every host must be ready., type: int, default: 120}
"""
RETURN = r"""
hosts: {description: Address, suite and ports of each host., type: dict, returned: when present}
actions: {description: What was done, one line each., type: list, returned: always}
"""

CAPABILITIES = [
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "SETFCAP"),
    *("SETGID", "SETUID", "SETPCAP", "KILL", "IPC_LOCK", "IPC_OWNER", "MKNOD"),
    *("NET_BIND_SERVICE", "NET_ADMIN", "NET_RAW", "AUDIT_WRITE", "AUDIT_CONTROL", "SYSLOG"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_NICE", "SYS_PTRACE", "SYS_TTY_CONFIG"),
]
#: First command of a host. Network settings must be writable or newer engines can't start
#: containers; the rest of
#: /proc/sys stays read-only, so that a host can't change the machine's kernel. $1 is the lab's
#: public key.
BOOT = """set -e
mount --bind /proc/sys/net /proc/sys/net
for m in /proc/sys/net /sys/fs/cgroup /sys/fs/cgroup/*; do
  if mountpoint -q "$m"; then mount -o remount,bind,rw "$m"; fi
done
mkdir -p -m 0700 /root/.ssh
printf '%s\\n' "$1" > /root/.ssh/authorized_keys
chmod 0600 /root/.ssh/authorized_keys
ssh-keygen -A > /dev/null
exec /lib/systemd/systemd"""


class Lab:
    """One lab on this machine. Every action is noted; in check mode it is noted and not done."""

    def __init__(self, module: AnsibleModule) -> None:
        self.params: dict[str, Any] = module.params
        self.check_mode: bool = module.check_mode
        self.name: str = self.params["name"]
        self.folder = Path(self.params["state_dir"])
        self.key = self.folder / "id_ed25519"
        self.actions: list[str] = []

    def do(self, action: str, *arguments: str) -> None:
        """Notes the action and, outside check mode, runs the docker command."""
        self.actions.append(action)
        if not self.check_mode:
            docker(*arguments)

    def write(self, path: Path, text: str) -> None:
        """Writes a small file if it differs."""
        if path.exists() and path.read_text() == text:
            return
        self.actions.append(f"wrote {path.name}")
        if not self.check_mode:
            path.write_text(text)

    def subnet(self) -> str:
        """The lab's network: the existing one, or a new one on a free /24."""
        found = lab_engine.inspect("network", self.name)
        if found is not None:
            if (found.get("Labels") or {}).get(LABEL) != self.name:
                raise EngineError(
                    f"a network named {self.name} exists and is no lab's: set another lab_host_name"
                )
            return str(found["IPAM"]["Config"][0]["Subnet"])
        subnet: str = lab_plan.pick_subnet(
            self.name, self.params["address_pool"], lab_engine.busy_networks()
        )
        label = f"{LABEL}={self.name}"
        self.do(
            f"network {self.name} {subnet}",
            "network",
            "create",
            "--subnet",
            subnet,
            "--label",
            label,
            self.name,
        )
        return subnet

    def public_key(self) -> str:
        """The lab's SSH key, made on first use; the private half never leaves the folder."""
        if not self.key.exists():
            self.actions.append("made the SSH key")
            if self.check_mode:
                return "(made on creation)"
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            command = [
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                f"lab {self.name}",
                "-f",
                str(self.key),
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        return self.key.with_suffix(".pub").read_text().strip()

    def arguments(self, host: str, given: dict[str, Any], public_key: str) -> list[str]:
        """Everything after `docker run --detach`, but for the spec's label."""
        container = f"{self.name}-{host}"
        return [
            *("--name", container, "--hostname", host, "--restart", "unless-stopped"),
            *("--stop-signal", "SIGRTMIN+3", "--env", "container=docker"),
            *("--network", self.name, "--ip", given["address"], "--cgroupns", "private"),
            *("--memory", self.params["memory"], "--label", f"{LABEL}={self.name}"),
            *("--cap-drop", "ALL", *(part for cap in CAPABILITIES for part in ("--cap-add", cap))),
            *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
            *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"),  # noqa: S108 - inside the host
            *("--volume", f"{container}-docker:/var/lib/docker"),
            *(
                part
                for inner, outer in given["ports"].items()
                for part in ("-p", f"127.0.0.1:{outer}:{inner}")
            ),
            self.params["images"][given["suite"]],
            *("sh", "-c", BOOT, "lab-host", public_key),
        ]

    def host(self, host: str, given: dict[str, Any], public_key: str) -> None:
        """Makes one host, makes it anew if its spec changed, or starts it if it is down."""
        container = f"{self.name}-{host}"
        run = self.arguments(host, given, public_key)
        spec = lab_plan.digest(run)
        found = lab_engine.inspect("container", container)
        if found is not None:
            labels = found["Config"]["Labels"] or {}
            if labels.get(LABEL) != self.name:
                raise EngineError(
                    f"a container named {container} exists and is no lab's: "
                    "set another lab_host_name"
                )
            if labels.get(SPEC) == spec:
                if not found["State"]["Running"]:
                    self.do(f"started {container}", "container", "start", container)
                return
            self.do(
                f"removed {container}: its specification changed",
                "container",
                "rm",
                "--force",
                container,
            )
        if lab_engine.inspect("volume", f"{container}-docker") is None:
            label = f"{LABEL}={self.name}"
            self.do(
                f"volume {container}-docker",
                "volume",
                "create",
                "--label",
                label,
                f"{container}-docker",
            )
        self.do(
            f"made {container} ({given['suite']})",
            "run",
            "--detach",
            "--label",
            f"{SPEC}={spec}",
            *run,
        )

    def remove(self, container: str) -> None:
        """Takes one host away with its volume."""
        self.do(f"removed {container}", "container", "rm", "--force", "--volumes", container)
        if lab_engine.inspect("volume", f"{container}-docker") is not None:
            self.do(f"removed volume {container}-docker", "volume", "rm", f"{container}-docker")

    def present(self) -> dict[str, Any]:
        """Brings the lab to the wanted shape, waits until all hosts are ready; returns the plan."""
        params = self.params
        lab_plan.check(
            self.name,
            params["count"],
            params["suites"],
            params["published_ports"],
            params["port_range"],
        )
        public_key = self.public_key()
        state = self.folder / "lab.json"
        saved = json.loads(state.read_text()) if state.exists() else {}
        wish = {
            "name": self.name,
            "count": params["count"],
            "suites": params["suites"],
            "ports": params["published_ports"],
            "span": params["port_range"],
        }
        plan: dict[str, Any] = lab_plan.make(wish, self.subnet(), saved, port_is_free)
        self.write(state, json.dumps(plan, indent=2, sort_keys=True) + "\n")
        wanted = {f"{self.name}-{host}" for host in plan["hosts"]}
        for container in sorted(set(lab_engine.labelled("container", self.name)) - wanted):
            self.remove(container)
        for host, given in plan["hosts"].items():
            self.host(host, given, public_key)
        if not self.check_mode:
            keys = lab_ready.wait(self.name, plan, params["timeout"])
            self.write(self.folder / "known_hosts", keys)
            self.write(self.folder / "hosts.txt", lab_plan.table(plan))
            lab_ready.log_in(plan, self.key, self.folder / "known_hosts", params["timeout"])
        return plan

    def absent(self) -> None:
        """Removes all of the lab; found by label, so it works without the folder too."""
        for container in lab_engine.labelled("container", self.name):
            self.do(f"removed {container}", "container", "rm", "--force", "--volumes", container)
        for kind in ("volume", "network"):
            for name in lab_engine.labelled(kind, self.name):
                self.do(f"removed {kind} {name}", kind, "rm", name)
        if self.folder.exists():
            self.actions.append(f"removed {self.folder.name}/")
            if not self.check_mode:
                shutil.rmtree(self.folder)


def port_is_free(port: int) -> bool:
    """Whether nothing listens on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main() -> None:
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "count": {"type": "int", "default": 3},
            "suites": {"type": "list", "elements": "str", "default": ["bookworm"]},
            "images": {"type": "dict", "default": {}},
            "published_ports": {"type": "list", "elements": "int", "default": [22]},
            "port_range": {"type": "list", "elements": "int", "default": [20000, 31999]},
            "address_pool": {"type": "str", "default": "10.213.0.0/16"},
            "memory": {"type": "str", "default": "2g"},
            "state_dir": {"type": "path", "required": True},
            "timeout": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    lab = Lab(module)
    hosts: dict[str, Any] = {}
    try:
        if module.params["state"] == "absent":
            lab.absent()
        else:
            hosts = lab.present()["hosts"]
    except (EngineError, lab_plan.PlanError, OSError, subprocess.SubprocessError) as error:
        module.fail_json(msg=str(error), actions=lab.actions)
    module.exit_json(changed=bool(lab.actions), actions=lab.actions, hosts=hosts)


if __name__ == "__main__":
    main()
