"""The recorded hosts, over both implementations: the golden page, and what one broken file costs.

The native implementation's own tests hold the same golden pages.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentcore.integration import RustIntegrationManager
from agentcore.performance import FastPerformanceMonitor, Scrape

COMPONENT = "agent_performance_monitor"
MonitorOf = Callable[[Path, RustIntegrationManager], FastPerformanceMonitor]
Portable = Callable[[Scrape, Path], tuple[str, list[str]]]
Folder = Callable[[str], Path]


def check_golden(tree: Path, scrape: Scrape, portable: Portable) -> list[str]:
    text, failures = portable(scrape, tree)
    expected = (tree / "expected.prom").read_text()
    assert text.splitlines() == expected.splitlines()
    assert text == expected
    return failures


def test_the_page_of_a_debian_host(
    manager: RustIntegrationManager, monitor_of: MonitorOf, host: Folder, portable: Portable
) -> None:
    tree = host("debian12")
    monitor = monitor_of(tree, manager)
    scrape = monitor.scrape()
    assert check_golden(tree, scrape, portable) == [
        "filesystem: /mnt/gone: No such file or directory",
        "textfile: /TREE/textfile/broken.prom: line 1: expected a label name",
        "textfile: /TREE/textfile/steals.prom: node_load1 is the name of a metric of this agent",
    ]
    assert monitor.scrape() == scrape
    families = {family.name: family for family in monitor.families()}
    assert families["node_load1"].samples[0].value == 2.94
    assert families["node_cpu_seconds"].type == "counter"


def test_the_page_of_a_host_with_cgroup_v2_and_little_else(
    manager: RustIntegrationManager, monitor_of: MonitorOf, host: Folder, portable: Portable
) -> None:
    tree = host("cgroup2")
    failures = check_golden(tree, monitor_of(tree, manager).scrape(), portable)
    assert failures == [
        "cpu: /TREE/proc/stat: line 1: there is no line for a processor",
        "diskstats: /TREE/proc/diskstats: No such file or directory",
        "filefd: /TREE/proc/sys/fs/file-nr: No such file or directory",
        "filesystem: /TREE/proc/self/mountinfo: No such file or directory",
        "loadavg: /TREE/proc/loadavg: No such file or directory",
        "meminfo: /TREE/proc/meminfo: No such file or directory",
        "netdev: /TREE/proc/net/dev: No such file or directory",
        'stat: /TREE/proc/stat: line 1: there is no line "btime"',
        "uname: /TREE/proc/sys/kernel/domainname: No such file or directory",
        "vmstat: /TREE/proc/vmstat: No such file or directory",
    ]


BROKEN = [
    (
        "proc/stat",
        "cpu0 1 2 x 4\n",
        "cpu",
        'proc/stat: line 1: expected a whole number, found "x"',
    ),
    ("proc/stat", "cpu0 1 2 3 4\nctxt\n", "stat", "proc/stat: line 2: a number is missing"),
    (
        "proc/meminfo",
        "MemTotal: 12 pounds\n",
        "meminfo",
        'proc/meminfo: line 1: unknown unit "pounds"',
    ),
    (
        "proc/loadavg",
        "0.1 none 0.3\n",
        "loadavg",
        'proc/loadavg: line 1: expected a number, found "none"',
    ),
    (
        "proc/vmstat",
        "pgfault -1\n",
        "vmstat",
        'proc/vmstat: line 1: expected a whole number, found "-1"',
    ),
    (
        "proc/diskstats",
        "8 0 sda 1 2 3\n",
        "diskstats",
        "proc/diskstats: line 1: a number is missing",
    ),
    (
        "proc/diskstats",
        "8 0\n",
        "diskstats",
        "proc/diskstats: line 1: expected MAJOR MINOR NAME and numbers",
    ),
    (
        "proc/1/net/dev",
        "a\nb\neth0: 1 2\n",
        "netdev",
        "proc/1/net/dev: line 3: a number is missing",
    ),
    (
        "proc/1/net/dev",
        "a\nb\neth0 1 2\n",
        "netdev",
        "proc/1/net/dev: line 3: expected NAME: and 16 numbers",
    ),
    (
        "proc/1/mountinfo",
        "27 1 254:0 / /\n",
        "filesystem",
        'proc/1/mountinfo: line 1: expected the separator " - "',
    ),
    (
        "proc/1/mountinfo",
        "27 1 254:0 / / rw - ext4\n",
        "filesystem",
        "proc/1/mountinfo: line 1: fields are missing",
    ),
    (
        "proc/pressure/io",
        "some total=x\n",
        "pressure",
        "proc/pressure/io: line 1: expected total= with a whole number",
    ),
    (
        "proc/pressure/cpu",
        "",
        "pressure",
        'proc/pressure/cpu: line 1: there is no line "some"',
    ),
    ("proc/sys/fs/file-nr", "12\n", "filefd", "proc/sys/fs/file-nr: line 1: a number is missing"),
    (
        "proc/sys/net/netfilter/nf_conntrack_max",
        "99999999999999999999\n",
        "conntrack",
        (
            "proc/sys/net/netfilter/nf_conntrack_max: line 1: expected a whole number, "
            'found "99999999999999999999"'
        ),
    ),
]


@pytest.mark.parametrize(("file", "content", "collector", "reason"), BROKEN)
def test_a_broken_file_costs_one_collector(
    manager: RustIntegrationManager,
    monitor_of: MonitorOf,
    copy_of: Folder,
    portable: Portable,
    file: str,
    content: str,
    collector: str,
    reason: str,
) -> None:
    tree = copy_of("debian12")
    (tree / file).write_text(content)
    text, failures = portable(monitor_of(tree, manager).scrape(), tree)
    assert f"{collector}: /TREE/{reason}" in failures
    lines = text.splitlines()
    assert f'node_scrape_collector_success{{collector="{collector}"}} 0' in lines
    assert 'node_scrape_collector_success{collector="uname"} 1' in lines


@pytest.mark.parametrize("name", ["conntrack", "containers", "pressure"])
def test_what_a_kernel_lacks_is_no_failure(
    manager: RustIntegrationManager, monitor_of: MonitorOf, copy_of: Folder, name: str
) -> None:
    tree = copy_of("debian12")
    for part in ("proc/pressure/cpu", "proc/sys/net/netfilter/nf_conntrack_max"):
        (tree / part).unlink()
    (tree / "sys").rename(tree / "gone")
    scrape = monitor_of(tree, manager).scrape()
    assert f'node_scrape_collector_success{{collector="{name}"}} 0' in scrape.text.splitlines()
    assert name not in {failure.collector for failure in scrape.failures}


def test_the_hosts_own_interfaces_are_read_not_the_readers(
    manager: RustIntegrationManager, monitor_of: MonitorOf, copy_of: Folder
) -> None:
    tree = copy_of("debian12")
    text = monitor_of(tree, manager).collect(["netdev"])
    assert 'node_network_receive_bytes_total{device="eth0"}' in text
    assert "veth" not in text
    (tree / "proc/1/net/dev").unlink()
    text = monitor_of(tree, manager).collect(["netdev"])
    assert 'node_network_receive_bytes_total{device="lo"} 7' in text.splitlines()


def test_counters_do_not_go_back_a_little(
    manager: RustIntegrationManager, monitor_of: MonitorOf, copy_of: Folder
) -> None:
    tree = copy_of("debian12")
    monitor = monitor_of(tree, manager)
    seen = []
    for idle in (1000, 701, 699, 998):
        (tree / "proc/stat").write_text(f"cpu0 1 1 1 {idle} 1 1 1 1 0 0\n")
        lines = monitor.collect(["cpu"]).splitlines()
        seen.append(next(line for line in lines if 'mode="idle"' in line).split()[1])
    assert seen == ["10", "10", "6.99", "9.98"]


def test_collectors_can_be_chosen(
    manager: RustIntegrationManager, monitor_of: MonitorOf, host: Folder
) -> None:
    monitor = monitor_of(host("debian12"), manager)
    assert monitor.collector_names()[-1] == "textfile"
    page = monitor.collect(["time", "loadavg"])
    assert "node_load1 " in page
    assert "node_memory" not in page
    page = monitor.collect(exclude=["uname"])
    assert "node_uname" not in page
    assert "node_memory" in page
    with pytest.raises(ValueError, match=r'^there is no collector "cpus"; the collectors are: con'):
        monitor.collect(["cpus"])
    with pytest.raises(ValueError, match=r"^collect\[\] and exclude\[\] cannot be combined$"):
        monitor.collect(["cpu"], ["cpu"])


def test_a_container_limit_is_kept_and_told(
    manager: RustIntegrationManager, monitor_of: MonitorOf, copy_of: Folder
) -> None:
    tree = copy_of("cgroup2")
    for number in range(513):
        folder = tree / f"sys/fs/cgroup/docker/{number:064x}"
        folder.mkdir(parents=True)
        (folder / "pids.current").write_text("1\n")
    scrape = monitor_of(tree, manager).scrape(["containers"])
    lines = scrape.text.splitlines()
    assert sum(line.startswith("container_last_seen{") for line in lines) == 512
    assert "container_scrape_error 1" in lines
    reasons = [failure.reason for failure in scrape.failures]
    assert reasons == ["more than 512 containers; the rest is left out"]
