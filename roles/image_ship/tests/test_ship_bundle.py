"""A bundle opens to what was packed, or not at all."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.module_utils.agentcore_ship import release as releases
from ansible.module_utils.agentcore_ship.bundle import MANIFEST, open_bundle, pack
from ansible.module_utils.agentcore_ship.errors import ShipError
from ansible.module_utils.agentcore_ship.release import Release

MakeRelease = Callable[..., Release]


@pytest.fixture
def bundle(make_release: MakeRelease, tmp_path: Path) -> Path:
    release = make_release({"agentcore-python": ["a", "b"], "edge": ["a", "c"]})
    (release.folder / "sbom").mkdir()
    (release.folder / "sbom" / "edge.txt").write_text("deb haproxy 2.6\n")
    target = tmp_path / "bundle.tar"
    assert pack(release.folder, target)
    return target


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def flip(path: Path, offset: int) -> Path:
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)
    return path


def test_opened_is_what_was_packed(bundle: Path, tmp_path: Path) -> None:
    release_id, changed = open_bundle(bundle, tmp_path / "opened")
    assert changed
    assert releases.read(tmp_path / "opened").id == release_id
    assert listing(tmp_path / "opened") == listing(tmp_path / "release")
    assert open_bundle(bundle, tmp_path / "opened") == (release_id, False)


def test_the_same_release_gives_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    assert not pack(tmp_path / "release", bundle)
    other = tmp_path / "other.tar"
    assert pack(tmp_path / "release", other)
    assert other.read_bytes() == bundle.read_bytes()


def test_a_flipped_byte_is_named_with_both_hashes_and_nothing_is_left(
    bundle: Path, tmp_path: Path
) -> None:
    with tarfile.open(bundle) as archive:
        blobs = [member for member in archive if member.name.startswith("blobs/")]
    victim = blobs[len(blobs) // 2]
    flip(bundle, victim.offset_data + victim.size // 2)
    with pytest.raises(ShipError) as caught:
        open_bundle(bundle, tmp_path / "opened")
    text = str(caught.value)
    assert victim.name in text
    assert f"expected {victim.name.rpartition('/')[2]}" in text
    assert "its sha256 is " in text
    assert [path.name for path in tmp_path.iterdir() if "open" in path.name] == []


def test_a_damaged_bundle_leaves_the_opened_release_as_it_was(bundle: Path, tmp_path: Path) -> None:
    open_bundle(bundle, tmp_path / "opened")
    before = listing(tmp_path / "opened")
    with pytest.raises(ShipError):
        open_bundle(flip(bundle, bundle.stat().st_size // 2), tmp_path / "opened")
    assert listing(tmp_path / "opened") == before


def test_no_flipped_byte_anywhere_goes_unseen(bundle: Path, tmp_path: Path) -> None:
    good = bundle.read_bytes()
    expected = listing(tmp_path / "release")
    refused = 0
    for offset in range(0, len(good), 97):
        bundle.write_bytes(good)
        flip(bundle, offset)
        try:
            open_bundle(bundle, tmp_path / "opened")
        except ShipError:
            refused += 1
        else:  # padding, or a time that no one uses: what is opened must be right all the same
            assert listing(tmp_path / "opened") == expected, offset
    assert refused > 20


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_cut_bundle_is_refused(bundle: Path, tmp_path: Path, share: float) -> None:
    data = bundle.read_bytes()
    bundle.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ShipError, match="bundle.tar"):
        open_bundle(bundle, tmp_path / "opened")
    assert not (tmp_path / "opened").exists()


def test_a_file_that_the_manifest_does_not_list_is_refused(bundle: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil.tar"
    with tarfile.open(bundle) as old, tarfile.open(evil, "w") as new:
        for member in old:
            new.addfile(member, old.extractfile(member))
        new.addfile(tarfile.TarInfo("../../etc/cron.d/evil"))
    with pytest.raises(ShipError, match=f"etc/cron.d/evil', which {MANIFEST} does not list"):
        open_bundle(evil, tmp_path / "opened")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShipError, match="cannot be read: No such file"):
        open_bundle(tmp_path / "none.tar", tmp_path / "opened")
    (tmp_path / "text.tar").write_text("hello")
    with pytest.raises(ShipError, match="is damaged or no bundle"):
        open_bundle(tmp_path / "text.tar", tmp_path / "opened")


def test_a_damaged_release_is_not_packed(make_release: MakeRelease, tmp_path: Path) -> None:
    release = make_release({"agentcore-python": ["a"]})
    flip(release.blob(release.images["agentcore-python"].layers[0]), 600)
    with pytest.raises(ShipError, match="is damaged: its hash is"):
        pack(release.folder, tmp_path / "bundle.tar")
    assert not (tmp_path / "bundle.tar").exists()
