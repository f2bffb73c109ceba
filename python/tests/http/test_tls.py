"""TLS: certificates are always checked, tunnels are used, HTTP/1.1 works inside."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentcore.http import Retries, TlsError
from tests.http.conftest import Certificates
from tests.http.server import Conversation, Request, reply, says, serving

COMPONENT = "agent_core_utils"
Make = Callable[..., Any]
ONCE = Retries(attempts=1)


def test_a_trusted_server(make: Make, certificates: Certificates) -> None:
    context = certificates.server("good", "IP:127.0.0.1,DNS:localhost")
    big = bytes(range(256)) * 2000
    with serving(context, x=says(reply(b"secret")), big=says(reply(big)),
                 echo=lambda request, _: reply(request.body)) as server:  # fmt: skip
        client = make(ca_file=certificates.ca)
        for _ in range(3):
            response = client.get(f"{server.url}/x")
            assert (response.content, response.http_version) == (b"secret", "1.1")
        assert client.get(f"{server.url}/big").content == big
        assert client.post(f"{server.url}/echo", big).content == big
        assert client.get(f"https://localhost:{server.port}/x").content == b"secret"
        status, pieces = client.read_stream("GET", f"{server.url}/big")
        assert (status, b"".join(pieces)) == (200, big)
        assert len({request.connection for request in server.asked("/big")}) == 1
        found = client.fetch_many([f"{server.url}/x"] * 20, limit=5)
        assert [one.content for one in found] == [b"secret"] * 20


def test_certificates_are_checked(make: Make, certificates: Certificates, tmp_path: Path) -> None:
    other = certificates.server("other", "DNS:other.org")
    with serving(other, x=says(reply())) as server:
        with pytest.raises(TlsError) as caught:
            make(ca_file=certificates.ca, retries=ONCE).get(f"{server.url}/x")
        assert str(caught.value) == (
            f"GET {server.url}/x: the certificate of '127.0.0.1' is not trusted: "
            "it is for another name"
        )
        with pytest.raises(TlsError, match="is not trusted: its issuer is unknown"):
            make(retries=ONCE).get(f"{server.url}/x")
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        with pytest.raises(TlsError, match="holds no certificate that can be trusted"):
            make(ca_file=str(empty)).get(f"{server.url}/x")
        assert server.requests == []
    expired = certificates.server(
        "expired", "IP:127.0.0.1", "-not_before", "20200101000000Z", "-not_after", "20200102000000Z"
    ) if certificates.can_backdate else None  # fmt: skip
    if expired is not None:
        late = pytest.raises(TlsError, match="is not trusted: it has expired")
        with serving(expired, x=says(reply())) as server, late:
            make(ca_file=certificates.ca).get(f"{server.url}/x")


def test_a_server_without_tls(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                with sock, contextlib.suppress(OSError):
                    sock.settimeout(30)
                    sock.recv(1)
                    sock.sendall(b"HTTP/1.1 400 Plain\r\ncontent-length: 0\r\n\r\n" * 9)
                    while sock.recv(65536):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/x"
        with pytest.raises(TlsError) as caught:
            make(retries=ONCE).get(url)
        assert str(caught.value) == f"GET {url}: the TLS handshake with '127.0.0.1' failed"
        listener.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def tunnel(request: Request, conversation: Conversation) -> None:
    host, _, port = request.target.rpartition(":")
    with socket.create_connection((host, int(port)), 30) as target:
        conversation.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        back = threading.Thread(target=pump, args=(target, conversation.sock), daemon=True)
        back.start()
        pump(conversation.sock, target)
        back.join(30)


def test_through_a_proxys_tunnel(make: Make, certificates: Certificates) -> None:
    context = certificates.server("good", "IP:127.0.0.1")
    with serving(context, x=says(reply(b"secret"))) as server, serving() as proxy:
        proxy.routes["*"] = tunnel
        client = make(ca_file=certificates.ca, proxy=proxy.url, proxy_authorization="Basic eDp5")
        for _ in range(2):
            assert client.get(f"{server.url}/x").content == b"secret"
        (ask,) = [each for each in proxy.requests if each.method == "CONNECT"]
        assert ask.target == f"127.0.0.1:{server.port}"
        assert ask.headers["proxy-authorization"] == "Basic eDp5"
        assert "proxy-authorization" not in server.asked("/x")[0].headers
