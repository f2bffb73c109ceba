# Apache-2.0 (see LICENSE)
"""A small client of the Docker Engine API over its Unix socket, standard library only.

Modules of this project run on hosts that have Python 3.9 or newer and nothing else installed, so they cannot ask for the
Docker SDK or `requests`. Only the calls that the roles need are here. API reference: Docker Engine API v1.41, which engines
from 20.10 on answer.
"""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
import urllib.parse

API_VERSION = "v1.41"


class EngineError(Exception):
    """The engine refused a call. `status` is the HTTP status, 0 where no answer came."""

    def __init__(self, message, status=0):
        super().__init__(message)
        self.status = status


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket. `timeout` in seconds."""

    def __init__(self, path, timeout=60.0):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    """The engine behind one Unix socket."""

    def __init__(self, socket_path="/var/run/docker.sock", timeout=120.0):
        self.socket_path = socket_path
        self.timeout = timeout

    def call(self, method, path, body=None, query=None, ok=(200, 201, 204, 304), stream=None, raw=False):
        """Calls the engine. `body` is sent as JSON, `stream` as it is (a file opened for reading bytes).

        Answers the decoded JSON, or bytes where `raw`. Raises EngineError with the engine's own words.
        """
        url = "/%s%s" % (API_VERSION, path)
        if query:
            url += "?" + urllib.parse.urlencode(query)
        connection = UnixConnection(self.socket_path, self.timeout)
        try:
            headers = {"Host": "docker"}
            data = None
            if stream is not None:
                headers["Content-Type"] = "application/x-tar"
                data = stream
            elif body is not None:
                headers["Content-Type"] = "application/json"
                data = json.dumps(body).encode("utf-8")
            try:
                connection.request(method, url, body=data, headers=headers, encode_chunked=stream is not None)
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise EngineError(
                    "the Docker engine does not answer at %s (%s); is it running?" % (self.socket_path, error)
                ) from error
            if answer.status not in ok:
                try:
                    message = json.loads(content.decode("utf-8")).get("message", "")
                except ValueError:
                    message = content.decode("utf-8", "replace")
                raise EngineError("%s %s: %s" % (method, path, message.strip()), answer.status)
            if raw:
                return content
            return json.loads(content.decode("utf-8")) if content else None
        finally:
            connection.close()

    # --- the engine itself

    def version(self):
        """The engine's version record (`Version`, `ApiVersion`, `Arch`, …)."""
        return self.call("GET", "/version")

    # --- images

    def image(self, reference):
        """The image's inspect record, or None where the engine does not have it."""
        try:
            return self.call("GET", "/images/%s/json" % urllib.parse.quote(reference, safe=":/@"))
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    # --- containers

    def inspect(self, name):
        """The container's inspect record, or None where there is no such container."""
        try:
            return self.call("GET", "/containers/%s/json" % name)
        except EngineError as error:
            if error.status == 404:
                return None
            raise

    def containers(self, label=None):
        """All containers, running or not, that carry `label` ("key" or "key=value")."""
        query = {"all": "1"}
        if label:
            query["filters"] = json.dumps({"label": [label]})
        return self.call("GET", "/containers/json", query=query)

    def create(self, name, config):
        return self.call("POST", "/containers/create", body=config, query={"name": name})["Id"]

    def start(self, name):
        self.call("POST", "/containers/%s/start" % name)

    def stop(self, name, grace=10):
        """Sends the stop signal and kills after `grace` seconds. A container that does not run is fine."""
        self.call("POST", "/containers/%s/stop" % name, query={"t": str(int(grace))}, ok=(204, 304, 404))

    def rename(self, name, new_name):
        self.call("POST", "/containers/%s/rename" % name, query={"name": new_name})

    def remove(self, name):
        """Removes the container by force; its named volumes stay."""
        for _attempt in range(20):
            try:
                self.call("DELETE", "/containers/%s" % name, query={"force": "1"}, ok=(204, 404))
                return
            except EngineError as error:
                # A removal already under way is a wait, not a failure.
                if error.status != 409:
                    raise
                time.sleep(0.25)
        raise EngineError("container %s is still being removed after 5 s" % name, 409)

    def update_restart_policy(self, name, policy):
        self.call("POST", "/containers/%s/update" % name, body={"RestartPolicy": {"Name": policy}})

    def logs(self, name, tail=200):
        """The last `tail` lines of the container's standard output and error, as text."""
        content = self.call(
            "GET",
            "/containers/%s/logs" % name,
            query={"stdout": "1", "stderr": "1", "tail": str(tail), "timestamps": "1"},
            raw=True,
        )
        return demultiplex(content)


def demultiplex(content):
    """Joins the frames of a container log (8-byte header: stream, 3 zero bytes, big-endian length)."""
    text = bytearray()
    at = 0
    while at + 8 <= len(content):
        stream, length = struct.unpack(">BxxxI", content[at : at + 8])
        if stream > 2:
            # A container with a terminal has no frames.
            return content.decode("utf-8", "replace")
        text += content[at + 8 : at + 8 + length]
        at += 8 + length
    return bytes(text).decode("utf-8", "replace")
