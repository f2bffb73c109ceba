"""Layers are the same bytes for the same files, and a difference turns one tree into another."""

from __future__ import annotations

import io
import random
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from agentcore_images.tree import Node, Tree, clean, difference, read_tar, with_parents, write_layer

EPOCH = 1767225600


def layer(nodes: list[Node]) -> bytes:
    sink = io.BytesIO()
    write_layer(nodes, sink, EPOCH)
    return sink.getvalue()


def tree_of(*nodes: Node) -> Tree:
    return {node.path: node for node in nodes}


def test_the_order_of_nodes_does_not_change_the_bytes() -> None:
    nodes = [Node(f"d/{name}", content=name.encode()) for name in "abcdefgh"]
    expected = layer(nodes)
    shuffled = nodes[:]
    random.Random(1).shuffle(shuffled)
    assert layer(shuffled) == expected


def test_a_layer_says_its_own_hash_and_size() -> None:
    import hashlib

    sink = io.BytesIO()
    digest, size = write_layer([Node("a", content=b"x" * 3_000_000)], sink, EPOCH)
    assert hashlib.sha256(sink.getvalue()).hexdigest() == digest
    assert len(sink.getvalue()) == size


def test_every_entry_has_the_one_time_and_no_names() -> None:
    data = layer(
        [Node("d", kind="dir"), Node("d/f", content=b"1"), Node("l", kind="symlink", target="d")]
    )
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            assert (member.mtime, member.uname, member.gname) == (EPOCH, "", "")
            assert not member.pax_headers


def test_a_long_name_survives() -> None:
    name = "/".join(["folder" * 10] * 5) + "/" + "n" * 150
    with tarfile.open(fileobj=io.BytesIO(layer([Node(name, content=b"1")]))) as archive:
        assert archive.getnames() == [name]


def test_hard_links_are_written_once_and_read_back(tmp_path: Path) -> None:
    nodes = [
        Node("b", content=b"same", link_group="b"),
        Node("a", content=b"same", link_group="b"),
    ]
    path = tmp_path / "layer.tar"
    path.write_bytes(layer(nodes))
    with tarfile.open(path) as archive:
        assert [(m.name, m.islnk()) for m in archive] == [("a", False), ("b", True)]
    tree = read_tar(path)
    assert tree["a"].read() == tree["b"].read() == b"same"


def test_a_link_whose_other_half_stays_below_becomes_a_file(tmp_path: Path) -> None:
    lower = tree_of(Node("a", content=b"same"))
    upper = tree_of(
        Node("a", content=b"same", link_group="a"), Node("b", content=b"same", link_group="a")
    )
    nodes = difference(lower, upper)
    with tarfile.open(fileobj=io.BytesIO(layer(nodes))) as archive:
        assert [(m.name, m.isfile()) for m in archive] == [("b", True)]


def test_difference_names_what_was_added_changed_and_removed() -> None:
    same = Node("etc/same", content=b"1")
    lower = tree_of(
        Node("etc", kind="dir", mode=0o755),
        same,
        Node("etc/changed", content=b"1"),
        Node("etc/mode", content=b"1"),
        Node("etc/gone", content=b"1"),
        Node("old", kind="dir"),
        Node("old/deep", content=b"1"),
    )
    upper = tree_of(
        Node("etc", kind="dir", mode=0o755),
        same,
        Node("etc/changed", content=b"2"),
        Node("etc/mode", content=b"1", mode=0o600),
        Node("etc/new", content=b"1"),
    )
    assert [node.path for node in difference(lower, upper)] == [
        ".wh.old",
        "etc",
        "etc/.wh.gone",
        "etc/changed",
        "etc/mode",
        "etc/new",
    ]


def test_a_parent_keeps_the_mode_it_has_below() -> None:
    known = tree_of(Node("tmp", kind="dir", mode=0o1777))
    parents = with_parents([Node("tmp/new/file")], known)
    assert [(n.path, n.mode) for n in parents if n.kind == "dir"] == [
        ("tmp", 0o1777),
        ("tmp/new", 0o755),
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("./", ""),
        (".", ""),
        ("./etc/", "etc"),
        ("/a//b", "a/b"),
        ("./.wh.x", ".wh.x"),
        ("..a", "..a"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_a_device_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "dev.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("dev/null")
        info.type = tarfile.CHRTYPE
        archive.addfile(info)
    assert read_tar(path) == {}


def test_a_content_that_shrinks_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "layer.tar"
    path.write_bytes(layer([Node("a", content=b"x" * 5000)]))
    node = read_tar(path)["a"]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(OSError, match="shorter"):
        node.read()
    assert replace(node, content=b"y").read() == b"y"
