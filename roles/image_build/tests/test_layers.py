"""The kinds of layers that take from others: Debian trees, wheels, bytecode."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from agentcore_images import bytecode
from agentcore_images.context import Context
from agentcore_images.errors import BuildError
from agentcore_images.layers import rust, wheels
from agentcore_images.layers.debian import DROPPED, _add_users, _harmless, _unwanted
from agentcore_images.place import Place
from agentcore_images.recipe import LayerSpec
from agentcore_images.tree import Node, Tree

EPOCH = 1767225600
HERE = bytecode.Interpreter((sys.executable,), {"PYTHONHASHSEED": "0"})


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("etc/resolv.conf", True),
        ("etc/hostname", True),
        ("etc/passwd-", True),
        ("etc/passwd", False),
        ("etc/apt", True),
        ("etc/apt/sources.list", True),
        ("var/log", False),
        ("var/log/dpkg.log", True),
        ("var/cache/ldconfig/aux-cache", True),
        ("usr/lib/python3/dist-packages/x/__pycache__/y.pyc", True),
        ("usr/share/doc/bash/copyright", False),
        ("usr/share/doc/bash/changelog.gz", True),
        ("var/lib/dpkg/status", False),
        ("var/lib/dpkg/status-old", True),
    ],
)
def test_what_differs_between_hosts_and_days_is_dropped(path: str, dropped: bool) -> None:
    assert (DROPPED.fullmatch(path) is not None) is dropped


def test_nobody_gains_rights() -> None:
    assert _harmless(Node("usr/bin/su", mode=0o4755)).mode == 0o755
    assert _harmless(Node("tmp", kind="dir", mode=0o1777)).mode == 0o1777


def test_unwanted_takes_a_folder_with_all_below_it() -> None:
    test = _unwanted((LayerSpec("debian", {"without": ["usr/lib/*/gconv"]}, "x"),))
    assert test("usr/lib/x86_64-linux-gnu/gconv")
    assert test("usr/lib/x86_64-linux-gnu/gconv/UTF-16.so")
    assert not test("usr/lib/x86_64-linux-gnu/gconv2")
    assert not _unwanted(())("anything")


def test_users_are_added_once_and_no_day_is_left_in_shadow() -> None:
    tree: Tree = {
        "etc/passwd": Node("etc/passwd", content=b"root:x:0:0::/root:/bin/sh\n"),
        "etc/group": Node("etc/group", content=b"root:x:0:\n"),
        "etc/shadow": Node("etc/shadow", content=b"root:*:19999:0:99999:7:::\n"),
    }
    spec = LayerSpec("debian", {"users": [{"name": "a", "id": 7, "home": "/h"}]}, "x")
    _add_users(tree, spec, EPOCH)
    _add_users(tree, spec, EPOCH)
    day = EPOCH // 86400
    assert (
        tree["etc/passwd"].read() == b"root:x:0:0::/root:/bin/sh\na:x:7:7::/h:/usr/sbin/nologin\n"
    )
    assert (
        tree["etc/shadow"].read() == f"root:*:{day}:0:99999:7:::\na:!:{day}:0:99999:7:::\n".encode()
    )


def compiled(ctx: Context, monkeypatch: pytest.MonkeyPatch, nodes: list[Node]) -> dict[str, bytes]:
    monkeypatch.setattr(bytecode, "interpreter", lambda _ctx, _place: HERE)
    made = bytecode.with_bytecode(ctx, Place("x"), nodes)
    return {node.path: node.read() for node in made if node.path.endswith(".pyc")}


def test_bytecode_is_the_same_wherever_it_is_made_and_needs_no_time(
    tmp_path: Path, context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = b"import os\nNAMES = {'a', 'b', 'c'}\ndef f(x):\n    return x in {1, 2, 'z'}\n"
    nodes = [Node(f"opt/app/m{n}.py", content=source) for n in range(20)]
    one = compiled(context(tmp_path / "one"), monkeypatch, nodes)
    two = compiled(context(tmp_path / "two" / "deep"), monkeypatch, nodes[::-1])
    assert one == two
    assert len(one) == len(nodes)
    for data in one.values():
        assert data[4:8] == b"\x01\x00\x00\x00"  # PEP 552: hash-based, unchecked
        assert b"/opt/app/m" in data
        assert str(tmp_path).encode() not in data


def test_a_file_that_cannot_be_compiled_is_left_without_bytecode(
    tmp_path: Path, context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [Node("a/bad.py", content=b"{{ template }} !\n"), Node("a/good.py", content=b"x = 1\n")]
    made = compiled(context(tmp_path), monkeypatch, nodes)
    assert len(made) == 1
    assert "good" in next(iter(made))


def test_where_a_wheels_members_go() -> None:
    assert wheels._installed_path("numpy/core.py") == "numpy/core.py"
    assert wheels._installed_path("x-1.data/purelib/x/a.py") == "x/a.py"
    assert wheels._installed_path("x-1.data/scripts/run") == ""
    with pytest.raises(BuildError, match="leaves its folder"):
        wheels._installed_path("../etc/passwd")


@pytest.mark.parametrize(
    ("path", "useless"),
    [
        ("numpy/_core/include/numpy/x.h", True),
        ("numpy/_core/tests/test_a.py", True),
        ("numpy/_core/tests/data/a.txt", True),
        ("numpy/_core/tests/_natype.py", False),  # imported by numpy.testing
        ("numpy/testing/__init__.py", False),
        ("tests/test_top.py", False),
        ("numpy/__init__.pyi", True),
    ],
)
def test_only_what_is_never_read_is_pruned(path: str, useless: bool) -> None:
    assert wheels._useless(path) is useless


def test_wheels_are_fetched_once_and_a_changed_one_is_fetched_again(
    tmp_path: Path, context: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agentcore_images import fetch

    wheel = tmp_path / "index" / "demo-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo/__init__.py", "x = 1\n")
        archive.writestr(
            "demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
        )
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    import hashlib

    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"demo==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    ctx = context(tmp_path)
    (found,) = fetch.wheels_for(ctx, lock)
    assert found.read_bytes() == wheel.read_bytes()
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    ctx = context(tmp_path)
    assert fetch.wheels_for(ctx, lock) == [found]  # no index and no links: from the cache alone
    assert ctx.steps == []
    found.write_bytes(b"damaged")
    with pytest.raises(BuildError, match="ended with status"):
        fetch.wheels_for(context(tmp_path), lock)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    assert fetch.wheels_for(context(tmp_path), lock)[0].read_bytes() == wheel.read_bytes()


def test_an_extension_that_does_not_load_or_is_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("__version__ = '1.0'\n")
    (tmp_path / "bad.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "dead.py").write_text("import os\nos.abort()\n")
    rust.load_check(HERE, tmp_path, ["good"], "1.0")
    for name, version, message in (
        ("good", "1.1", "good is version 1.0; version 1.1"),
        ("bad", "1.0", "No module named 'nothing_of_that_name'"),
        ("dead", "1.0", "does not load it: status -6"),
    ):
        with pytest.raises(BuildError, match=message):
            rust.load_check(HERE, tmp_path, [name], version)


def test_the_child_runs_alone() -> None:
    answer = subprocess.run(
        [sys.executable, "-S", "-B", str(bytecode.CHILD), "/nowhere"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
