# Apache-2.0 (see LICENSE)
"""The edge's runtime interface (HAProxy's admin socket): which slot gets the requests, and when the other one is idle."""

from __future__ import annotations

import csv
import io
import socket
import time


class EdgeError(Exception):
    """The edge refused, or did not answer."""


class Edge:
    """One HAProxy behind its admin socket, and the backend that holds the slots."""

    def __init__(self, socket_path, backend):
        self.socket_path = socket_path
        self.backend = backend

    def command(self, words):
        """Sends one command. Raises EdgeError where HAProxy complains: its successful state changes answer nothing."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(5)
        try:
            connection.connect(self.socket_path)
            connection.sendall(words.encode("ascii") + b"\n")
            answer = b""
            while True:
                chunk = connection.recv(65536)
                if not chunk:
                    return answer.decode("utf-8", "replace").strip()
                answer += chunk
        except OSError as error:
            raise EdgeError("the edge does not answer at %s: %s" % (self.socket_path, error)) from error
        finally:
            connection.close()

    def set_state(self, server, state):
        """`state`: ready, drain or maint."""
        answer = self.command("set server %s/%s state %s" % (self.backend, server, state))
        if answer:
            raise EdgeError("the edge would not set %s to %s: %s" % (server, state, answer))

    def servers(self):
        """{server: {"status": "UP"…, "sessions": current sessions}} of the backend."""
        table = self.command("show stat -1 4 -1").lstrip("# ")
        found = {}
        for row in csv.DictReader(io.StringIO(table)):
            if row["pxname"] == self.backend:
                found[row["svname"]] = {"status": row["status"], "sessions": int(row["scur"] or 0)}
        if not found:
            raise EdgeError("the edge has no backend named %s" % self.backend)
        return found

    def takes_requests(self, server):
        return self.servers().get(server, {}).get("status", "").startswith("UP")

    def wait_up(self, server, seconds):
        """Waits until the edge itself finds `server` up."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.servers().get(server, {}).get("status", "absent")
            if status.startswith("UP"):
                return
            if time.monotonic() >= deadline:
                raise EdgeError("the edge finds %s %s, %g s after it was made ready" % (server, status, seconds))
            time.sleep(0.1)

    def wait_idle(self, server, seconds):
        """Waits until no session is left on `server`. Answers how many were left at the deadline (0: drained)."""
        deadline = time.monotonic() + seconds
        while True:
            left = self.servers().get(server, {}).get("sessions", 0)
            if left == 0 or time.monotonic() >= deadline:
                return left
            time.sleep(0.1)
