"""A whole build of a small project: the same everywhere, nothing twice, safe when interrupted."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from agentcore_images import store
from agentcore_images.build import HOW_TO_NATIVE, build, plan
from agentcore_images.context import Context
from agentcore_images.errors import BuildError
from agentcore_images.lock import hold

Make = Callable[..., Context]
Project = Callable[[str], Path]
RUST_IMAGE = """
title: monitor-agent
description: One binary
parent: scratch
layers:
  - rust: { binary: monitor-agent, to: /monitor-agent }
"""


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_checkouts_in_different_places_give_the_same_release(
    project: Project, context: Make
) -> None:
    one, two = project("one"), project("two/much/deeper")
    first, second = build(context(one), 0), build(context(two), 0)
    assert first.release == second.release
    assert files(one / "build/release") == files(two / "build/release")
    assert str(one).encode() not in b"".join(
        path.read_bytes() for path in (one / "build/release").rglob("*") if path.is_file()
    )


def test_the_record_has_the_contracts_form(project: Project, context: Make) -> None:
    root = project("p")
    record = build(context(root), 0).release
    image = record["images"]["tool"]
    config = root / "build/release/blobs/sha256" / image["id"].partition(":")[2]
    assert record["schema"] == 1
    assert record["native"] is False
    assert record["id"].startswith("1.2.3-")
    assert image["ref"] == f"agentcore/tool:{image['id'][7:19]}"
    assert hashlib.sha256(config.read_bytes()).hexdigest() == image["id"][7:]
    content = json.loads(config.read_bytes())
    assert content["rootfs"]["diff_ids"] == image["layers"]
    assert content["config"]["Healthcheck"] == {
        "Test": ["CMD", "/bin/tool", "probe"],
        "Interval": 2_000_000_000,
        "Timeout": 3_000_000_000,
        "Retries": 3,
    }
    assert content["config"]["Labels"]["org.opencontainers.image.revision"] == "unknown"


def test_a_second_build_makes_nothing(project: Project, context: Make) -> None:
    root = project("p")
    assert build(context(root), 0).changed
    before = {path: path.stat().st_mtime_ns for path in (root / "build/release").rglob("*")}
    again = context(root)
    assert not build(again, 0).changed
    assert again.steps == []
    assert {path: path.stat().st_mtime_ns for path in (root / "build/release").rglob("*")} == before


def test_a_changed_file_changes_the_image_and_the_release(project: Project, context: Make) -> None:
    root = project("p")
    first = build(context(root), 0).release
    (root / "images/tool/tool").write_bytes(b"other\n")
    second = build(context(root), 0).release
    assert first["id"] != second["id"]
    blobs = {path.name for path in (root / "build/release/blobs/sha256").iterdir()}
    for record in (first, second):  # the release before is kept for a deploy that still sends it
        assert {one[7:] for one in record["images"]["tool"]["layers"]} <= blobs


def test_an_image_that_outgrows_its_limit_is_refused(project: Project, context: Make) -> None:
    root = project("p")
    text = (root / "images/tool/image.yml").read_text()
    (root / "images/tool/image.yml").write_text(f"{text}limit_mb: 1\n")
    build(context(root), 0)
    (root / "images/tool/tool").write_bytes(bytes(1_100_000))
    with pytest.raises(
        BuildError, match=r"tool adds 1.1 MB; at most 1 MB \(limit_mb in its image.yml"
    ):
        build(context(root), 0)


def test_the_revision_is_the_last_commit_that_reached_the_image(
    project: Project, context: Make
) -> None:
    root = project("p")

    def commit(path: str, text: str) -> str:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
        for words in (["add", "images"], ["commit", "-q", "-m", path], ["rev-parse", "HEAD"]):
            answer = subprocess.run([*git, *words], capture_output=True, text=True, check=True)
        return answer.stdout.strip()

    subprocess.run(["git", "init", "-q", str(root)], check=True)
    first = commit("images/tool/tool", "one")
    assert context(root).revision(["images/tool"]) == first
    before = build(context(root), 0).release
    commit("images/tool/README.md", "a better text")
    commit("images/tool/tests/test_it.py", "a test")
    commit("images/other/file", "another image")
    assert build(context(root), 0).release["images"] == before["images"]
    second = commit("images/tool/tool", "two")
    assert context(root).revision(["images/tool"]) == second


def test_a_lost_blob_is_made_again(project: Project, context: Make) -> None:
    root = project("p")
    record = build(context(root), 0).release
    name = record["images"]["tool"]["layers"][0][7:]
    (root / "build/release/blobs/sha256" / name).unlink()
    (root / "build/cache/blobs/sha256" / name).unlink()
    outcome = build(context(root), 0)
    assert outcome.changed
    assert outcome.release == record
    assert (root / "build/release/blobs/sha256" / name).is_file()


def test_check_mode_names_what_would_be_made_and_writes_nothing(
    project: Project, context: Make
) -> None:
    root = project("p")
    outcome = plan(context(root))
    assert outcome.changed
    assert outcome.missing == {"tool": ["files: 2"]}
    assert not (root / "build").exists()
    build(context(root), 0)
    assert not plan(context(root)).changed


def test_an_interrupted_build_leaves_the_old_release_and_the_next_one_succeeds(
    project: Project, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project("p")
    first = build(context(root), 0).release
    before = files(root / "build/release")
    (root / "images/tool/tool").write_bytes(b"other\n")

    def cut(nodes: object, sink: object, epoch: int) -> tuple[str, int]:
        sink.write(b"half a layer")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_layer", cut)
        with pytest.raises(KeyboardInterrupt):
            build(context(root), 0)
    assert files(root / "build/release") == before
    assert not list((root / "build").rglob("*.part"))
    assert build(context(root), 0).release["id"] != first["id"]


def test_two_builds_at_once_wait_for_each_other(project: Project, context: Make) -> None:
    root = project("p")
    said: list[str] = []
    held = threading.Event()

    def holder() -> None:
        with hold(root / "build/cache/build.lock", 0, said.append):
            held.set()
            threading.Event().wait(0.8)

    thread = threading.Thread(target=holder)
    thread.start()
    held.wait(5)
    with pytest.raises(BuildError, match=r"another build holds the lock \(process \d+ since"):
        build(context(root), 0)
    build(context(root, said), 10)
    thread.join()
    assert "waiting up to 10 s for another build" in said[0]


def test_a_killed_build_leaves_no_lock(project: Project, context: Make) -> None:
    root = project("p")
    code = (
        "import sys, os, signal; sys.path.insert(0, sys.argv[1]);"
        "from agentcore_images.lock import hold; from pathlib import Path\n"
        "with hold(Path(sys.argv[2]), 0, print): os.kill(os.getpid(), signal.SIGKILL)"
    )
    package = Path(store.__file__).parents[1]
    lock = root / "build/cache/build.lock"
    subprocess.run([sys.executable, "-c", code, str(package), str(lock)], check=False, timeout=30)
    build(context(root), 0)


def test_without_cargo_only_python_images_are_built_and_it_says_how_to_get_native(
    project: Project, context: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = project("p")
    (root / "images/monitor-agent").mkdir()
    (root / "images/monitor-agent/image.yml").write_text(RUST_IMAGE)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    outcome = build(context(root, native="auto"), 0)
    assert set(outcome.release["images"]) == {"tool"}
    assert outcome.notes == [HOW_TO_NATIVE]
    with pytest.raises(BuildError, match="cargo: is not installed; install Rust"):
        build(context(root, native="true"), 0)


def test_a_failing_program_is_an_error_that_shows_its_last_words(
    project: Project, context: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = project("p")
    fake = tmp_path / "bin" / "mmdebstrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'E: no mirror answers'\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    text = (root / "images/tool/image.yml").read_text()
    (root / "images/tool/image.yml").write_text(f"{text}  - debian: {{ packages: [haproxy] }}\n")
    with pytest.raises(
        BuildError, match=r"mmdebstrap: ended with status 3(.|\n)*no mirror answers"
    ):
        build(context(root), 0)
    assert not (root / "build/release/release.json").exists()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        BuildError, match="mmdebstrap: is not installed; install the Debian package"
    ):
        build(context(root), 0)


def test_a_program_that_hangs_is_ended_with_all_its_children(
    project: Project, context: Make, tmp_path: Path
) -> None:
    from agentcore_images.process import run

    mark = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {mark}; wait"
    with pytest.raises(BuildError, match="is not done after 1 s"):
        run(["/bin/sh", "-c", script], tmp_path / "log", 1, print)
    child = Path("/proc", mark.read_text().strip())
    wait_for(lambda: gone(child))


def test_a_program_ends_with_a_build_that_is_killed_outright(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from agentcore_images.process import run; from pathlib import Path\n"
        "run(['/bin/sh', '-c', f'echo $$ > {sys.argv[2]}; sleep 60'], Path(sys.argv[2] + '.log'),"
        " 60, print)"
    )
    package = Path(store.__file__).parents[1]
    owner = subprocess.Popen([sys.executable, "-c", code, str(package), str(mark)])
    wait_for(lambda: mark.is_file() and mark.read_text().strip())
    child = Path("/proc", mark.read_text().strip())
    assert child.exists()
    owner.kill()
    owner.wait()
    wait_for(lambda: gone(child))


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, "not within 15 s"
        time.sleep(0.05)


def gone(process: Path) -> bool:
    try:
        return "Z" in (process / "stat").read_text().split()[2]
    except OSError:
        return True


def test_old_results_are_forgotten(project: Project, context: Make) -> None:
    root = project("p")
    ctx = context(root)
    build(ctx, 0)
    kept = {path.name for path in (root / "build/cache/blobs/sha256").iterdir()}
    ctx.store.prune(set(), now=time.time() + store.UNUSED_FOR_SECONDS + 60)
    assert kept
    assert not list((root / "build/cache/blobs/sha256").iterdir())
    assert (root / "build/release/release.json").is_file()
