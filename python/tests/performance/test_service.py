"""``agentcore monitor`` as a process: boots, is scraped, drains, refuses; like the Rust daemon."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agentcore import __version__

COMMAND = (sys.executable, "-m", "agentcore", "monitor")
Folder = Callable[[str], Path]


@contextmanager
def daemon(tree: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, "--listen", "127.0.0.1:0", "--log.format", "json"]
    for flag, folder in (
        ("--path.procfs", "proc"),
        ("--path.sysfs", "sys"),
        ("--path.rootfs", "root"),
        ("--collector.textfile.directory", "textfile"),
    ):
        command += [flag, str(tree / folder)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stderr is not None
        event = json.loads(child.stderr.readline())
        assert event["message"] == "listening"
        yield child, event["address"]
    finally:
        child.kill()
        child.communicate()


def get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_boots_is_scraped_and_drains(host: Folder) -> None:
    with daemon(host("debian12")) as (child, address):
        status, page = get(address, "/metrics")
        assert status == 200
        lines = page.splitlines()
        for line in (
            "node_load1 2.94",
            "node_textfile_scrape_error 1",
            'agentcore_release_info{release="0.1.0-01234567",flavor="native"} 1',
            "# TYPE agentcore_monitor_scrapes_total counter",
            "agentcore_monitor_scrapes_total 1.0",
            (
                'agentcore_service_info{implementation="python",service="monitor-agent",'
                f'version="{__version__}"}} 1.0'
            ),
        ):
            assert line in lines
        assert json.loads(get(address, "/readyz")[1])["service"] == "monitor-agent"
        assert get(address, "/healthz") == (200, "ok\n")
        assert get(address, "/metrics")[0] == 200
        _, page = get(address, "/metrics?collect[]=loadavg&collect%5B%5D=time")
        assert "node_load1 " in page
        assert "node_memory" not in page
        status, body = get(address, "/metrics?collect[]=nothing")
        assert status == 400
        assert "there is no collector" in body
        assert get(address, "/metrics?collect[]=cpu&exclude[]=cpu")[0] == 400
        begin = time.monotonic()
        child.terminate()
        _, log = child.communicate(timeout=10)
        assert child.returncode == 0
        assert time.monotonic() - begin < 5
        # What is wrong with the tree was logged once, not at each of the scrapes.
        assert log.count("steals.prom") == 1
        assert "recovered" not in log


def test_bad_flags_exit_64_before_anything_listens() -> None:
    for flags, parts in (
        (["--listen", "127.0.0.1:99999"], ["--listen", "127.0.0.1:99999", "0 to 65535"]),
        (["--log.format", "xml"], ["--log.format", "xml", "text"]),
        (["--path.procfs", "/nonexistent"], ["--path.procfs /nonexistent", "a mounted tree"]),
        (["--path.procfs", "/tmp"], ["--path.procfs /tmp", "there is no file stat", "/host/proc"]),
        (["--web.listen"], ["--web.listen"]),
    ):
        done = subprocess.run(
            [*COMMAND, *flags], check=False, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 64, done.stderr
        for part in parts:
            assert part in done.stderr


def test_a_taken_port_exits_1_and_names_it(host: Folder) -> None:
    with daemon(host("cgroup2")) as (_, address):
        command = [*COMMAND, "--listen", address]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert f"cannot listen on {address}" in done.stderr
