"""The kernel's own defenses are on: address randomization, hidden pointers, link protection."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome
from agentcore.security.host import judges
from agentcore.security.host.tree import Host

_WANTED = (
    ("fs.protected_fifos", ("1", "2")),
    ("fs.protected_hardlinks", ("1",)),
    ("fs.protected_regular", ("1", "2")),
    ("fs.protected_symlinks", ("1",)),
    ("fs.suid_dumpable", ("0",)),
    ("kernel.dmesg_restrict", ("1",)),
    ("kernel.kptr_restrict", ("1", "2")),
    ("kernel.randomize_va_space", ("2",)),
    ("kernel.unprivileged_bpf_disabled", ("1", "2")),
    ("kernel.yama.ptrace_scope", ("1", "2", "3")),
)


def _run(host: Host) -> list[Outcome]:
    return judges.sysctls(host, _WANTED)


CHECK = Check(
    id="sysctl-kernel",
    title="the kernel's own defenses are on",
    severity="medium",
    reference="Lynis KRNL-6000",
    fix="Set the value in /etc/sysctl.d/60-hardening.conf and run `sysctl --system`.",
    run=_run,
)
