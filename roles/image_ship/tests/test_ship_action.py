"""What the action decides: what a host lacks, and when a whole archive is worth one more try."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path(__file__).resolve().parents[1] / "action_plugins" / "image_ship.py"
spec = importlib.util.spec_from_file_location("image_ship_action", PLUGIN)
assert spec is not None
assert spec.loader is not None
action = importlib.util.module_from_spec(spec)
spec.loader.exec_module(action)


@pytest.fixture
def release(make_release: Callable[..., Any]) -> Any:
    made = make_release({"agentcore-python": ["a", "b"], "edge": ["a", "c"]})
    return action.releases.read(made.folder)


def host_with(*images: Any, containerd: bool = False, tagged: bool = True) -> dict[str, Any]:
    return {
        "containerd": containerd,
        "images": [
            {
                "id": "sha256:other" if containerd else image.id,
                "tags": [image.ref] if tagged else [],
                "layers": list(image.layers),
            }
            for image in images
        ],
    }


def test_what_is_there_is_not_sent(release: Any) -> None:
    images = release.select([])
    assert action._compare(images, host_with(*images)) == ([], [])
    assert action._compare(images, host_with(images[0])) == ([images[1]], [])


def test_an_image_without_its_name_only_gets_the_name(release: Any) -> None:
    image = release.images["edge"]
    expected = ([], [{"id": image.id, "ref": image.ref}])
    assert action._compare([image], host_with(image, tagged=False)) == expected


def test_on_containerds_store_layers_are_compared_not_ids(release: Any) -> None:
    images = release.select([])
    assert action._compare(images, host_with(*images, containerd=True)) == ([], [])
    assert action._compare(images, host_with(images[0], containerd=True)) == ([images[1]], [])


class Host(action.ActionModule):  # type: ignore[misc, name-defined]
    """The action with a host that answers as told."""

    def __init__(self, answers: list[Any]) -> None:
        self._args = {"keep_releases": 3, "keep_refs": [], "keep_named_in": []}
        self._host = "h1"
        self.answers = answers
        self.sent: list[Any] = []

    def _send(self, shipment: Any, request: Any, host: Any) -> tuple[int, dict[str, Any]]:
        self.sent.append(shipment)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


def thin(release: Any) -> Any:
    image = release.images["agentcore-python"]
    return action.compose(release, [image], action.chains_of([image.layers[:1]]))


def test_a_refused_thin_archive_is_followed_by_a_whole_one(release: Any) -> None:
    image = release.images["agentcore-python"]
    refused = action.ShipError("Docker engine", "cannot load the images: no such file")
    host = Host([refused, (9, {"ids": {image.key: image.id}, "removed": []})])
    result = host._deliver(release, [image], thin(release), [], {})
    assert result["fallback"] is True
    assert [one.layers for one in host.sent] == [image.layers[1:], image.layers]


def test_a_refused_whole_archive_or_another_failure_is_final(release: Any) -> None:
    image = release.images["agentcore-python"]
    whole = action.compose(release, [image], set())
    for shipment, text in ((whole, "cannot load the images: x"), (thin(release), "disk is full")):
        host = Host([action.ShipError("h1", text)])
        with pytest.raises(action.ShipError, match=text):
            host._deliver(release, [image], shipment, [], {})
        assert len(host.sent) == 1


def test_a_full_disk_is_refused_with_both_figures(release: Any) -> None:
    space = {"/d": {"free": 12_000_000, "device": 1}}
    with pytest.raises(action.ShipError, match=r"/d: needs \d+ MB, has 12 MB; nothing was sent"):
        Host([])._check_space(thin(release), "/d", space, "", 0)
    roomy = {"/d": {"free": 10**9, "device": 1}, "/t": {"free": 5_000_000, "device": 2}}
    with pytest.raises(action.ShipError, match="/t: needs 8 MB, has 5 MB"):
        Host([])._check_space(thin(release), "/d", roomy, "/t", 7_000_000)
    Host([])._check_space(thin(release), "/d", roomy, "/t", 4_000_000)
