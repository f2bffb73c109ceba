"""Talks to a host's Docker engine over its Unix socket, with the standard library alone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ansible.module_utils.docker_engine import UnixConnection

from .errors import ShipError

# The oldest engine supported (20.10) speaks it, and so do all newer ones.
API = "/v1.41"
HTTP_ERROR = 400
NOT_FOUND = 404
CONFLICT = 409
CONTAINERD = "io.containerd.snapshotter"


class Engine:
    """One Docker engine. ``timeout`` is in seconds and holds for each answer."""

    def __init__(self, path: str, timeout: float = 600.0) -> None:
        self._path = path
        self._timeout = timeout

    def call(
        self,
        method: str,
        path: str,
        body: Iterable[bytes] | None = None,
        accept: tuple[int, ...] = (),
    ) -> tuple[int, bytes]:
        """Return an answer's status and body.

        Raises:
            ShipError: no engine answers, or it answers an error that is not in ``accept``.
        """
        connection = UnixConnection(self._path, self._timeout)
        headers = {"Content-Type": "application/x-tar"} if body is not None else {}
        try:
            connection.request(
                method, API + path, body=body, headers=headers, encode_chunked=body is not None
            )
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ShipError(
                f"Docker engine at {self._path}",
                f"does not answer: {error}",
                "a running engine whose socket this user may use",
            ) from error
        finally:
            connection.close()
        if status >= HTTP_ERROR and status not in accept:
            raise ShipError(
                f"Docker engine: {method} {path}", f"HTTP {status}: {_message(content)}"
            )
        return status, content

    def get(self, path: str) -> Any:
        """Return the JSON value of a GET."""
        return json.loads(self.call("GET", path)[1])

    def load(self, archive: Iterable[bytes]) -> None:
        """Load an archive of images.

        Raises:
            ShipError: the engine refuses it or something in it.
        """
        content = self.call("POST", "/images/load?quiet=1", body=archive)[1]
        for line in content.splitlines():
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict) and "error" in message:
                raise ShipError("Docker engine", f"cannot load the images: {message['error']}")

    def image(self, name: str) -> dict[str, Any] | None:
        """Return what the engine says of an image, or None if it has none of that name."""
        status, content = self.call("GET", f"/images/{quote(name)}/json", accept=(NOT_FOUND,))
        return None if status == NOT_FOUND else json.loads(content)

    def images(self) -> list[dict[str, Any]]:
        """Return every image: ``id``, ``tags``, ``layers``."""
        found = []
        for one in self.get("/images/json"):
            # An image may go between the list and the look at it.
            image = self.image(one["Id"])
            if image is not None:
                found.append(
                    {
                        "id": image["Id"],
                        "tags": image.get("RepoTags") or [],
                        "layers": (image.get("RootFS") or {}).get("Layers") or [],
                    }
                )
        return found

    def tag(self, image_id: str, ref: str) -> None:
        """Give an image a name."""
        repository, _, tag = ref.rpartition(":")
        self.call(
            "POST", f"/images/{quote(image_id)}/tag?repo={quote(repository)}&tag={quote(tag)}"
        )

    def remove(self, ref: str) -> bool:
        """Remove an image's name, and the image with its last one; False if it is in use."""
        status, _ = self.call("DELETE", f"/images/{quote(ref)}", accept=(NOT_FOUND, CONFLICT))
        return status not in (NOT_FOUND, CONFLICT)

    def used_images(self) -> set[str]:
        """Return the ids of the images that containers use, running or not."""
        return {one["ImageID"] for one in self.get("/containers/json?all=1")}

    def info(self) -> dict[str, Any]:
        """Return ``root`` (the engine's folder) and ``containerd`` (whose image store it has)."""
        info = self.get("/info")
        status = " ".join(str(word) for pair in info.get("DriverStatus") or [] for word in pair)
        return {"root": info["DockerRootDir"], "containerd": CONTAINERD in status}


def _message(content: bytes) -> str:
    try:
        return str(json.loads(content)["message"])
    except (KeyError, TypeError, ValueError):
        return content.decode("utf-8", "replace")[:500].strip()
