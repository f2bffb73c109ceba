"""Small real releases: layers with one file each, and configurations that an engine loads."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.module_utils.agentcore_ship import release as releases


def layer(text: str) -> bytes:
    """Return a layer with one file that holds ``text``."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo("file-" + hashlib.sha256(text.encode()).hexdigest()[:8])
        data = text.encode() * 200
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


@pytest.fixture
def make_release(tmp_path: Path) -> Callable[..., releases.Release]:
    """Return a maker of releases from ``{image: [text of each layer]}``."""

    def make(
        images: dict[str, list[str]], name: str = "release", prefix: str = "agentcore"
    ) -> releases.Release:
        folder = tmp_path / name

        def blob(data: bytes) -> str:
            digest = hashlib.sha256(data).hexdigest()
            path = folder / "blobs" / "sha256" / digest
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return f"sha256:{digest}"

        entries = {}
        for key, texts in images.items():
            layers = [blob(layer(text)) for text in texts]
            config = {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {"image": key}},
                "rootfs": {"type": "layers", "diff_ids": layers},
            }
            digest = blob(json.dumps(config, sort_keys=True).encode())
            entries[key] = {
                "ref": f"{prefix}/{key}:{digest[7:19]}",
                "id": digest,
                "layers": layers,
                "size": sum(len(layer(text)) for text in texts),
            }
        record = {
            "schema": 1,
            "id": releases.release_id("1.2.3", entries),
            "version": "1.2.3",
            "revision": "unknown",
            "native": False,
            "images": entries,
        }
        (folder / "release.json").write_text(json.dumps(record))
        return releases.read(folder)

    return make
