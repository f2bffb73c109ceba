"""The daemon and its stand-in: the same flags, routes, metrics and refusals, by real processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "a-key-of-some-length"
ROOT = Path(__file__).parents[3]


def native_binary() -> Path | None:
    """The daemon: named by AGENTCORE_SECURITY_AGENT, or built beside us."""
    named = os.environ.get("AGENTCORE_SECURITY_AGENT")
    places = [Path(named)] if named else []
    places += [ROOT / f"rust/target/{profile}/security-agent" for profile in ("quick", "release")]
    return next((place for place in places if place.is_file()), None)


@pytest.fixture(params=["python", "native"], scope="module")
def command(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "python":
        return [sys.executable, "-m", "agentcore", "security"]
    binary = native_binary()
    if binary is None:
        pytest.skip("the security-agent binary is not built; AGENTCORE_SECURITY_AGENT may name it")
    return [str(binary)]


class Daemon:
    """A running daemon over a tiny host."""

    def __init__(self, command: list[str], folder: Path) -> None:
        etc, net = folder / "root/etc", folder / "proc/1/net"
        etc.mkdir(parents=True)
        net.mkdir(parents=True)
        (folder / "state").mkdir()
        (etc / "hostname").write_text("here\n")
        (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n")
        (etc / "shadow").write_text("root:*:1::::::\n")
        self.tcp = net / "tcp"
        self.listen(22)
        (folder / "key").write_text(f"{KEY}\n")
        self.target = socket.create_server(("127.0.0.1", 0))
        self.open_port = self.target.getsockname()[1]
        scope = {
            "schema": 1,
            "owner": "ops",
            "networks": ["127.0.0.0/24"],
            "hosts": [
                {"name": "here", "address": "127.0.0.2"},
                {"name": "there", "address": "127.0.0.1"},
            ],
            "ports": [self.open_port],
        }
        (folder / "scope.json").write_text(json.dumps(scope))
        waiver = {"check": "listener-all-addresses", "subject": "tcp/22", "reason": "operators"}
        (folder / "waivers.json").write_text(json.dumps([waiver]))
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = one.getsockname()[1]
        flags = {
            "--listen": f"127.0.0.1:{self.port}",
            "--rootfs": folder / "root",
            "--procfs": folder / "proc",
            "--scope-file": folder / "scope.json",
            "--waivers-file": folder / "waivers.json",
            "--api-key-file": folder / "key",
            "--state-dir": folder / "state",
            "--audit-interval": 3600,
            "--log.format": "json",
        }
        words = [str(word) for pair in flags.items() for word in pair]
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen([*command, *words], stderr=self.log)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.log.seek(0)
        raise AssertionError(f"not ready: {self.log.read()}")

    def listen(self, *ports: int) -> None:
        """Make the tiny host listen."""
        row = "   0: 00000000:{:04X} 00000000:0000 0A 0:0 00:0 0 0 0 1 1 0 100 0 0 10 0\n"
        self.tcp.write_text("head\n" + "".join(row.format(port) for port in ports))

    def call(
        self, method: str, path: str, body: bytes | str = b"", key: str | None = KEY
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(("{", "[")) else text

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(15)
        self.log.close()
        self.target.close()
        return status


@pytest.fixture(scope="module")
def daemon(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    one = Daemon(command, tmp_path_factory.mktemp("daemon"))
    try:
        yield one
    finally:
        if one.process.poll() is None:
            assert one.stop() == 0


def test_readiness_names_the_service(daemon: Daemon, command: list[str]) -> None:
    status, body = daemon.call("GET", "/readyz", key=None)
    assert status == 200
    assert body["service"] == "security-agent"
    assert body["implementation"] == ("python" if "agentcore" in command else "native")
    assert daemon.call("GET", "/healthz", key=None)[0] == 200


def test_the_api_wants_its_key(daemon: Daemon) -> None:
    for method, path in (("GET", "/v1/findings"), ("POST", "/v1/audits"), ("POST", "/v1/scans")):
        assert daemon.call(method, path, key=None)[0] == 401
        assert daemon.call(method, path, key="not-the-right-key")[0] == 401


def test_findings_as_json_and_sarif(daemon: Daemon) -> None:
    status, report = daemon.call("GET", "/v1/findings")
    assert status == 200
    assert report["host"] == "here"
    found = {(f["check"], f["subject"]): f["status"] for f in report["findings"]}
    assert found["account-uid-zero", "toor"] == "fail"
    assert found["listener-all-addresses", "tcp/22"] == "waived"
    status, log = daemon.call("GET", "/v1/findings?format=sarif")
    assert (status, log["version"]) == (200, "2.1.0")
    status, body = daemon.call("GET", "/v1/findings?format=xml")
    assert status == 400
    assert body["error"] == 'format: there is no "xml"; expected json or sarif'


def test_an_audit_on_demand_names_drift(daemon: Daemon) -> None:
    daemon.listen(22, 8080)
    status, report = daemon.call("POST", "/v1/audits")
    assert status == 200
    assert [(d["kind"], d["subject"]) for d in report["drift"]] == [
        ("listener_added", "tcp 0.0.0.0:8080")
    ]
    assert daemon.call("GET", "/v1/findings")[1] == report
    metrics = daemon.call("GET", "/metrics", key=None)[1]
    assert value(metrics, 'agent_security_drift{kind="listener_added"}') == 1
    daemon.listen(22)
    assert daemon.call("POST", "/v1/audits")[0] == 200


def test_a_scan_of_the_neighbors_is_the_default(daemon: Daemon) -> None:
    status, report = daemon.call("POST", "/v1/scans")
    assert status == 200
    (target,) = report["targets"]
    assert (target["name"], target["address"]) == ("there", "127.0.0.1")
    assert target["ports"]["open"] == str(daemon.open_port)
    asked = json.dumps({"targets": ["127.0.0.1"], "ports": [daemon.open_port]})
    assert daemon.call("POST", "/v1/scans", asked)[1]["complete"] is True


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            '{"targets":["192.0.2.1"]}',
            403,
            "192.0.2.1 is out of scope: no network of ops's scope file holds it",
        ),
        (
            '{"ports":[0]}',
            400,
            "scan: ports: 0 is not a port; expected 1 to 65535",
        ),
        (
            '{"port":[1]}',
            400,
            'body: not a scan; expected {"targets": [addresses or names], "ports": [1 to 65535]}',
        ),
        (
            "nonsense",
            400,
            'body: not a scan; expected {"targets": [addresses or names], "ports": [1 to 65535]}',
        ),
        (
            json.dumps({"targets": ["127.0.0.1"] * 1025}),
            400,
            "targets: 1025 of them; expected at most 1024",
        ),
    ],
)
def test_bad_scans_are_refused(daemon: Daemon, body: str, status: int, message: str) -> None:
    assert daemon.call("POST", "/v1/scans", body) == (status, {"error": message})


def test_a_body_too_long_is_refused(daemon: Daemon) -> None:
    assert daemon.call("POST", "/v1/scans", b" " * 600_000)[0] == 413


def test_the_metrics_have_the_same_names(daemon: Daemon) -> None:
    metrics = daemon.call("GET", "/metrics", key=None)[1]
    for name in (
        'agent_security_findings{severity="critical",status="fail"}',
        "agent_security_audit_timestamp_seconds",
        "agent_security_audit_duration_seconds",
        "agent_security_audits_total",
        'agent_security_drift{kind="setuid_added"}',
        "agent_security_unused_waivers",
        "agent_security_scan_timestamp_seconds",
        "agent_security_scan_duration_seconds",
        "agent_security_scan_complete",
        'agent_security_scan_probes_total{state="open"}',
        'agent_security_scan_open_ports{target="there"}',
        "agent_security_scan_denied_total",
    ):
        assert value(metrics, name) >= 0
    for severity, counts in daemon.call("GET", "/v1/findings")[1]["summary"].items():
        for status, count in counts.items():
            series = f'agent_security_findings{{severity="{severity}",status="{status}"}}'
            assert value(metrics, series) == count
    assert "agentcore_service_info{" in metrics


def value(metrics: str, name: str) -> float:
    """The value of one series."""
    lines = [line for line in metrics.splitlines() if line.startswith(f"{name} ")]
    assert len(lines) == 1, f"{name}: {lines}"
    return float(lines[0].rsplit(" ", 1)[1])


def test_the_report_is_kept_and_read_again(command: list[str], tmp_path: Path) -> None:
    first = Daemon(command, tmp_path / "first")
    state = tmp_path / "first/state/last-audit.json"
    assert json.loads(state.read_text())["host"] == "here"
    assert state.stat().st_mode & 0o777 == 0o600
    assert first.stop() == 0


@pytest.mark.parametrize(
    ("flags", "wants"),
    [
        (["--listen", "nowhere"], ["--listen", "nowhere"]),
        (["--listen", "0.0.0.0:0"], ["--listen 0.0.0.0:0", "--api-key-file"]),
        (["--audit-interval", "0"], ["--audit-interval", "'0'", "1..=31536000"]),
        (["--rootfs", "/nonexistent"], ["--rootfs /nonexistent: not a folder"]),
        (["--scope-file", "/nonexistent"], ["--scope-file /nonexistent: cannot be read"]),
        (["--waivers-file", "/dev/null"], ["--waivers-file /dev/null: waivers: not a JSON list"]),
        (["--no-such-flag"], ["--no-such-flag"]),
    ],
)
def test_bad_flags_exit_64(command: list[str], flags: list[str], wants: list[str]) -> None:
    done = subprocess.run(
        [*command, *flags], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 64, done.stderr
    for want in wants:
        assert want in done.stderr


def test_version(command: list[str]) -> None:
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0
    assert done.stdout.strip().endswith("0.1.0")
