"""The stand-ins' server: routes, keys, readiness, sockets, drain; over real sockets."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agentcore import probe
from agentcore.daemon import (
    ApiKey,
    Listen,
    Request,
    Response,
    Service,
    ServiceInfo,
    add_daemon_arguments,
    ensure_guarded,
    parse_listen,
)
from agentcore.errors import AgentCoreError, ConfigurationError, InputError, NotFoundError

KEY = "0123456789abcdef"
INFO = ServiceInfo("test-agent", "9.9.9")
LOOPBACK = Listen("127.0.0.1", 0)


def fetch(
    address: Listen, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("text", "shown", "local"),
    [
        ("127.0.0.1:9100", "127.0.0.1:9100", True),
        ("localhost:1", "127.0.0.1:1", True),
        (":9100", "0.0.0.0:9100", False),
        ("[::1]:80", "[::1]:80", True),
        ("10.0.0.7:0", "10.0.0.7:0", False),
        ("unix:/run/a.sock", "unix:/run/a.sock", True),
    ],
)
def test_listen_reads_every_form(text: str, shown: str, local: bool) -> None:
    listen = parse_listen(text)
    assert (str(listen), listen.is_local) == (shown, local)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("9100", "port is missing"),
        ("127.0.0.1:70000", "'70000' is not a number"),
        ("127.0.0.1:", "'' is not a number"),
        ("example.org:80", "'example.org' is not an IPv4 address"),
        ("[zz]:80", "'zz' is not an IPv6 address"),
        ("::1:80", "'::1' is not an IPv4 address"),
        ("unix:run/a.sock", "absolute path"),
    ],
)
def test_listen_says_what_is_wrong(text: str, part: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"invalid value") as caught:
        parse_listen(text)
    assert part in str(caught.value)


def test_readyz_follows_the_latches() -> None:
    service = Service(INFO, LOOPBACK)
    latch = service.ready.latch("docker", "not connected yet")
    with service.running() as address:
        assert fetch(address, "/healthz")[::2] == (200, b"ok\n")
        status, _, body = fetch(address, "/readyz")
        assert status == 503
        assert json.loads(body) == {
            "status": "not_ready",
            "service": "test-agent",
            "implementation": "python",
            "version": "9.9.9",
            "reason": "docker: not connected yet",
        }
        latch.open()
        assert fetch(address, "/readyz")[0] == 200
        latch.close("gone")
        assert b"docker: gone" in fetch(address, "/readyz")[2]
        assert b"<h1>test-agent" in fetch(address, "/")[2]


def test_metrics_say_who_answers() -> None:
    service = Service(INFO, LOOPBACK)
    service.metrics_source = lambda request: f"# from {request.path}\n"
    with service.running() as address:
        status, headers, body = fetch(address, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = body.decode()
    assert text.startswith("# from /metrics\n")
    line = (
        'agentcore_service_info{implementation="python",service="test-agent",version="9.9.9"} 1.0'
    )
    assert line in text.splitlines()
    assert "\nprocess_resident_memory_bytes " in text


def test_api_routes_want_the_key_and_admin_routes_do_not() -> None:
    service = Service(INFO, LOOPBACK, api_key=ApiKey(KEY))
    service.route("GET", "/v1/things/{id}", lambda request: Response.json(dict(request.params)))
    with service.running() as address:
        assert fetch(address, "/healthz")[0] == 200
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong-wrong-wrong"}, 401),
            ({"Authorization": f"Basic {KEY}"}, 401),
            ({"Authorization": f"Bearer {KEY}"}, 200),
            ({"Authorization": f"bearer  {KEY}"}, 200),
        ):
            got, answer, body = fetch(address, "/v1/things/a%20b", **headers)
            assert got == status
            if status == 401:
                assert answer["WWW-Authenticate"] == 'Bearer realm="agentcore"'
            else:
                assert json.loads(body) == {"id": "a b"}


def test_errors_have_their_status() -> None:
    def fail(request: Request) -> Response:
        kind = request.query["kind"][0]
        if kind == "input":
            raise InputError("no target", "field target", "an address")
        if kind == "missing":
            raise NotFoundError("no such run", "run 7")
        if kind == "own":
            raise AgentCoreError("docker is gone")
        raise ZeroDivisionError("secret detail")

    service = Service(INFO, LOOPBACK)
    service.route("POST", "/v1/fail", fail)
    service.route("POST", "/v1/echo", lambda request: Response.json(request.json()))
    with service.running() as address:
        for kind, status in (("input", 400), ("missing", 404), ("own", 500), ("bug", 500)):
            got, _, body = fetch(address, f"/v1/fail?kind={kind}", "POST")
            assert got == status
            assert b"secret" not in body
        assert fetch(address, "/v1/fail")[0] == 405
        assert fetch(address, "/v1/nothing")[0] == 404
        assert fetch(address, "/v1/echo", "POST", '{"a":1}')[2] == b'{"a":1}'
        assert fetch(address, "/v1/echo", "POST", "{")[0] == 400
        head, headers, body = fetch(address, "/healthz", "HEAD")
        assert (head, headers["Content-Length"], body) == (200, "3", b"")
        connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
        connection.putrequest("POST", "/v1/echo")
        connection.putheader("Content-Length", str(10**9))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_a_unix_socket_has_its_mode_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    service = Service(INFO, Listen(unix=path))
    with service.running():
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert probe.probe(f"unix:{path}:/readyz") == ""  # type: ignore[no-untyped-call]
        with pytest.raises(AgentCoreError, match="another service listens"):
            Service(INFO, Listen(unix=path)).bind()
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(AgentCoreError, match="not a socket"):
        Service(INFO, Listen(unix=path)).bind()
    assert path.read_text() == "precious"


def test_a_taken_port_is_named() -> None:
    with (
        Service(INFO, LOOPBACK).running() as address,
        pytest.raises(AgentCoreError, match=rf"cannot listen on {address}: "),
    ):
        Service(INFO, address).bind()


def test_a_running_request_is_finished_before_the_end() -> None:
    def slow(_: Request) -> Response:
        time.sleep(0.6)
        return Response.text("done")

    service = Service(INFO, LOOPBACK)
    service.route("GET", "/slow", slow)
    stopped = []
    service.on_stop(lambda: stopped.append(True))
    answers: list[bytes] = []
    with service.running() as address:
        client = threading.Thread(target=lambda: answers.append(fetch(address, "/slow")[2]))
        client.start()
        time.sleep(0.2)
    client.join()
    assert answers == [b"done"]
    assert stopped == [True]
    assert service.ready.reason() == "draining"


def test_keys_are_judged_and_hidden(tmp_path: Path) -> None:
    assert repr(ApiKey(KEY)) == "ApiKey(…)"
    with pytest.raises(ConfigurationError, match="has 5 characters"):
        ApiKey("short")
    with pytest.raises(ConfigurationError, match="other characters"):
        ApiKey("0123456789 abcdef")
    file = tmp_path / "key"
    with pytest.raises(ConfigurationError, match=rf"--api-key-file {file}: cannot be read"):
        ApiKey.from_file(file)
    file.write_text(f"{KEY}\n")
    assert ApiKey.from_file(file).matches(KEY)
    with pytest.raises(ConfigurationError, match="no key guards it"):
        ensure_guarded(parse_listen("0.0.0.0:1"), None)
    ensure_guarded(parse_listen("0.0.0.0:1"), ApiKey(KEY))
    ensure_guarded(parse_listen("127.0.0.1:1"), None)


def test_flags_are_those_of_the_daemons(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_daemon_arguments(parser, listen="127.0.0.1:0", api_key=True)
    args = parser.parse_args(["--log.format", "json", "--log.level", "debug"])
    assert (args.log_format, args.log_level, args.api_key_file) == ("json", "debug", None)
    args.listen = parse_listen("0.0.0.0:0")
    with pytest.raises(ConfigurationError, match="no key guards it"):
        Service.from_args(INFO, args)


PROGRAM = """
import argparse, sys
from agentcore.daemon import Service, ServiceInfo, add_daemon_arguments
parser = argparse.ArgumentParser()
add_daemon_arguments(parser, listen="127.0.0.1:0")
service = Service.from_args(ServiceInfo("child"), parser.parse_args())
service.bind()
print(service.listen, flush=True)
sys.exit(service.run())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_0_and_a_json_log(number: signal.Signals) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--log.format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    try:
        address = parse_listen(child.stdout.readline().strip())
        assert fetch(address, "/readyz")[0] == 200
        # A client that keeps its connection open and idle must not hold the service.
        idle = socket.create_connection((address.host, address.port))
        child.send_signal(number)
        _, errors = child.communicate(timeout=8)
        idle.close()
    finally:
        child.kill()
    assert child.returncode == 0
    events = [json.loads(line) for line in errors.splitlines()]
    assert [event["message"] for event in events] == ["listening", "draining", "ended"]
    assert all({"timestamp", "level", "target"} <= event.keys() for event in events)
    assert events[0]["level"] == "INFO"
