"""What a host lacks, the archive that holds it, and what the real engine makes of a thin one."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible.module_utils.agentcore_ship import release as releases
from ansible.module_utils.agentcore_ship.archive import chains_of, compose, packed, stream
from ansible.module_utils.agentcore_ship.engine import Engine
from ansible.module_utils.agentcore_ship.errors import ShipError
from ansible.module_utils.agentcore_ship.release import Release

MakeRelease = Callable[..., Release]


def names(pieces: Iterator[bytes]) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        return archive.getnames()


def test_a_host_with_nothing_gets_each_layer_once(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a", "b"], "edge": ["a", "c"]})
    images = release.select([])
    shipment = compose(release, images, set())
    python, edge = images
    assert shipment.layers == (*python.layers, edge.layers[1])
    assert len(shipment.members) == 2 + 3


def test_a_host_with_a_chain_gets_only_what_is_above_it(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a", "b", "new"]})
    (image,) = release.select([])
    shipment = compose(release, [image], chains_of([image.layers[:2]]))
    assert shipment.layers == image.layers[2:]


def test_the_same_layer_on_another_base_is_sent(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a", "b"], "edge": ["other", "b"]})
    python = release.images["agentcore-python"]
    shipment = compose(release, [release.images["edge"]], chains_of([python.layers]))
    assert shipment.layers == release.images["edge"].layers


def test_full_ignores_what_the_host_has(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a", "b"]})
    (image,) = release.select([])
    assert compose(release, [image], chains_of([image.layers]), full=True).layers == image.layers


def test_the_archive_is_a_tar_that_names_every_layer(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a", "b"]})
    (image,) = release.select([])
    shipment = compose(release, [image], chains_of([image.layers[:1]]))
    data = b"".join(stream(shipment.manifest(), shipment.members))
    assert data == b"".join(stream(shipment.manifest(), shipment.members))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert len(manifest[0]["Layers"]) == 2
        assert manifest[0]["Layers"][0] not in archive.getnames()
        assert manifest[0]["Layers"][1] in archive.getnames()
    assert names(packed(stream(shipment.manifest(), shipment.members))) == names(iter([data]))


def test_a_damaged_blob_stops_the_archive(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a"]})
    (image,) = release.select([])
    shipment = compose(release, [image], set())
    path = release.blob(image.layers[0])
    data = bytearray(path.read_bytes())
    data[600] ^= 1
    path.write_bytes(data)
    with pytest.raises(ShipError, match=r"is damaged: its hash is sha256:\w+; expected sha256:"):
        b"".join(stream(shipment.manifest(), shipment.members))
    path.unlink()
    with pytest.raises(ShipError, match="is missing from the release; build or open it again"):
        compose(release, [image], set())


def test_the_fallback_is_always_sent(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a"], "edge": ["b"], "prometheus": ["c"]})
    assert [one.key for one in release.select(["edge"])] == ["agentcore-python", "edge"]
    with pytest.raises(
        ShipError, match="has no image 'egde'; it has: agentcore-python, edge, prom"
    ):
        release.select(["egde"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(schema=2), "is no release record"),
        (lambda r: r.update(id="1.2.3-00000000"), "says it is 1.2.3-00000000, but its images make"),
        (lambda r: r["images"]["edge"].pop("layers"), "is malformed"),
        (lambda r: r["images"]["edge"].update(layers=["../../etc/passwd"]), "is no digest"),
    ],
)
def test_a_bad_record_is_refused(
    make_release: MakeRelease, change: Callable[[dict], object], message: str
) -> None:
    release = make_release({"agentcore-python": ["a"], "edge": ["b"]})
    path = release.folder / "release.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    with pytest.raises(ShipError, match=message):
        releases.read(release.folder)


def test_no_release_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ShipError, match="build a release or open a bundle first"):
        releases.read(tmp_path)


def test_no_engine_says_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(ShipError, match="does not answer: .*; a running engine whose socket"):
        Engine(str(tmp_path / "none.sock")).info()


@pytest.fixture
def real_engine() -> Engine:
    path = "/var/run/docker.sock"
    engine = Engine(path)
    try:
        info = engine.info()
    except ShipError as error:
        pytest.skip(f"no Docker engine here: {error}")
    if info["containerd"]:
        pytest.skip("this engine's image store wants every layer")
    return engine


def test_the_real_engine_accepts_a_thin_archive(
    make_release: MakeRelease, real_engine: Engine
) -> None:
    mark = uuid.uuid4().hex
    release = make_release(
        {
            "agentcore-python": [f"{mark} low", f"{mark} mid"],
            "edge": [f"{mark} low", f"{mark} mid", mark],
        },
        prefix=f"actest-{mark[:8]}",
    )
    first, second = release.select([])
    try:
        whole = compose(release, [first], set())
        real_engine.load(stream(whole.manifest(), whole.members))
        thin = compose(release, [second], chains_of(one["layers"] for one in real_engine.images()))
        assert thin.layers == second.layers[2:]
        real_engine.load(packed(stream(thin.manifest(), thin.members)))
        for image in (first, second):
            found = real_engine.image(image.ref)
            assert found is not None
            assert (found["Id"], tuple(found["RootFS"]["Layers"])) == (image.id, image.layers)
        real_engine.tag(second.id, f"actest-{mark[:8]}/again:1")
        assert real_engine.remove(f"actest-{mark[:8]}/again:1")
        assert not real_engine.remove(f"actest-{mark[:8]}/again:1")
    finally:
        for image in (second, first):
            real_engine.remove(image.ref)


def test_the_real_engine_refuses_a_thin_archive_whose_chain_it_lacks(
    make_release: MakeRelease, real_engine: Engine
) -> None:
    mark = uuid.uuid4().hex
    release = make_release(
        {"agentcore-python": [f"{mark} a", f"{mark} b"]}, prefix=f"actest-{mark[:8]}"
    )
    (image,) = release.select([])
    thin = compose(release, [image], chains_of([image.layers[:1]]))
    with pytest.raises(ShipError, match="cannot load the images"):
        real_engine.load(stream(thin.manifest(), thin.members))
    assert real_engine.image(image.ref) is None


def test_a_layer_hash_is_that_of_its_blob(make_release: MakeRelease) -> None:
    release = make_release({"agentcore-python": ["a"]})
    (layer,) = release.images["agentcore-python"].layers
    assert hashlib.sha256(release.blob(layer).read_bytes()).hexdigest() == layer.partition(":")[2]


def test_the_docker_client_agrees(make_release: MakeRelease, real_engine: Engine) -> None:
    mark = uuid.uuid4().hex
    release = make_release({"agentcore-python": [mark]}, prefix=f"actest-{mark[:8]}")
    (image,) = release.select([])
    whole = compose(release, [image], set())
    real_engine.load(stream(whole.manifest(), whole.members))
    try:
        command = ["docker", "image", "inspect", "--format={{.Id}}", image.ref]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert answer.stdout.strip() == image.id
    finally:
        real_engine.remove(image.ref)
