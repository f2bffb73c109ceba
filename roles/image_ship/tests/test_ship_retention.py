"""A host keeps its last releases, what containers use, and always the fallback."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.module_utils.agentcore_ship import retention
from ansible.module_utils.agentcore_ship.errors import ShipError


def image(name: str) -> dict:
    return {"id": f"id of {name}", "tags": [name], "layers": []}


def test_only_old_unused_images_of_ours_may_go() -> None:
    images = [image(f"agentcore/edge:{n}") for n in range(1, 6)] + [image("other/edge:1")]
    shipped = [{"id": str(n), "refs": [f"agentcore/edge:{n}"]} for n in range(1, 6)]
    old = retention.removable(images, shipped, 2, ["agentcore/edge:1"], {"id of agentcore/edge:2"})
    assert old == ["agentcore/edge:3"]


def test_the_fallback_stays_even_if_no_kept_release_has_it() -> None:
    images = [image("agentcore/agentcore-python:1"), image("agentcore/agentcore-python:2")]
    shipped = [
        {"id": "1", "refs": ["agentcore/agentcore-python:1"]},
        {"id": "2", "refs": ["agentcore/agentcore-python:2"]},
        {"id": "3", "refs": ["agentcore/edge:3"]},
    ]
    assert retention.removable(images, shipped, 1, [], set()) == ["agentcore/agentcore-python:1"]


def test_sending_an_old_release_again_makes_it_the_newest() -> None:
    shipped = [{"id": "1", "refs": ["a"]}, {"id": "2", "refs": ["b"]}]
    assert retention.noted(shipped, "1", ["c"]) == [
        {"id": "2", "refs": ["b"]},
        {"id": "1", "refs": ["a", "c"]},
    ]


def test_the_list_is_written_whole_and_a_lost_one_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "state" / "shipped.json"
    assert retention.read(str(path)) == []
    retention.write(str(path), [{"id": "1", "refs": ["a"]}])
    assert retention.read(str(path)) == [{"id": "1", "refs": ["a"]}]
    assert [one.name for one in path.parent.iterdir()] == ["shipped.json"]
    path.write_text("{")
    assert retention.read(str(path)) == []


def test_what_the_histories_name_is_found_however_deep(tmp_path: Path) -> None:
    history, journal = tmp_path / "releases.json", tmp_path / "journal"
    journal.mkdir()
    history.write_text('{"good": [{"release": {"images": {"edge": {"ref": "agentcore/edge:1", "id": "sha256:1"}}}}]}')
    (journal / "agentcore.json").write_text('{"good": [{"image": "agentcore/agentcore-native:2"}], "n": [1, null, "x/y:3"]}')
    found = retention.named_in([str(history), str(journal), str(tmp_path / "absent")])
    assert found == {"agentcore/edge:1", "agentcore/agentcore-native:2"}


def test_nothing_is_removed_where_a_history_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "releases.json").write_text("{")
    with pytest.raises(ShipError, match="releases.json.*cannot be read.*move it away"):
        retention.named_in([str(tmp_path / "releases.json")])
