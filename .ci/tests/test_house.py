# Apache-2.0 (see LICENSE)
"""The house is as its plan says: who may depend on whom, one version, variables that are declared, nothing left behind."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = {
    "agent-container-orchestrator",
    "agent-core-utils",
    "agent-performance-monitor",
    "agent-security-tools",
}
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if (path / "meta/main.yml").exists())


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def manifests() -> dict[str, dict]:
    found = {}
    for path in sorted((ROOT / "rust").glob("**/Cargo.toml")):
        if "target" in path.parts or path.parent == ROOT / "rust":
            continue
        found[str(path.parent.relative_to(ROOT / "rust"))] = tomllib.loads(path.read_text())
    return found


@pytest.mark.parametrize("folder", manifests())
def test_a_crate_depends_only_on_what_its_room_allows(folder: str) -> None:
    manifest = manifests()[folder]
    needs = set(manifest.get("dependencies", {}))
    ours = {name for name in needs if name.startswith("agent-")}
    if folder in COMPONENTS:
        assert not ours, f"a component depends on no other crate of the house, {folder} on {ours}"
        assert not needs & {"axum", "pyo3"}, "components know neither servers nor Python"
    elif folder.startswith("bindings/"):
        assert ours == {folder.removeprefix("bindings/")}, "a binding converts and calls one component"
        assert "axum" not in needs
    elif folder.startswith("agents/"):
        assert ours <= COMPONENTS | {"agent-kit"}
        assert "pyo3" not in needs
    elif folder == "agent-kit":
        assert not ours and "pyo3" not in needs
    elif folder == "fuzz":
        assert ours <= COMPONENTS
    else:
        assert folder == "testkit", f"{folder} has no room in the house: add it to the plan and to this test"
    if "bollard" in needs:
        assert folder == "agent-container-orchestrator", "only the orchestrator's component speaks to Docker"
    if "agent-testkit" in needs:
        pytest.fail("testkit is for tests: name it under dev-dependencies")


@pytest.mark.parametrize("folder", manifests())
def test_every_crate_takes_the_lints_of_the_workspace(folder: str) -> None:
    # The fuzz targets are a workspace of their own.
    wanted = {"rust": {"unsafe_code": "forbid"}} if folder == "fuzz" else {"workspace": True}
    assert manifests()[folder].get("lints") == wanted, "unsafe code is forbidden by the workspace's lints"


def test_unsafe_code_is_forbidden_everywhere() -> None:
    workspace = tomllib.loads((ROOT / "rust/Cargo.toml").read_text())
    assert workspace["workspace"]["lints"]["rust"]["unsafe_code"] == "forbid"


def test_there_is_one_version() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    workspace = tomllib.loads((ROOT / "rust/Cargo.toml").read_text())
    project = tomllib.loads((ROOT / "python/pyproject.toml").read_text())
    assert workspace["workspace"]["package"]["version"] == version
    assert project["project"]["version"] == version
    assert version in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_declares_every_variable_it_has_a_default_for(role: str) -> None:
    specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]
    declared = {name for spec in specs.values() for name in spec.get("options", {})}
    defaults_file = ROOT / f"roles/{role}/defaults/main.yml"
    defaults = set(yaml.safe_load(defaults_file.read_text()) or {}) if defaults_file.exists() else set()
    assert not defaults - declared, "defaults without a specification"
    undefaulted = {
        name
        for spec in specs.values()
        for name, option in spec.get("options", {}).items()
        if name not in defaults and not option.get("required")
    }
    assert not undefaulted, "specified, not required, and without a default"
    prefixes = (role + "_", "_" + role + "_")
    assert all(name.startswith(prefixes) for name in declared | defaults), "a role's variables carry its name"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_no_other_roles_variables(role: str) -> None:
    others = {
        name
        for other in ROLES
        if other != role
        for name in yaml.safe_load((ROOT / f"roles/{other}/defaults/main.yml").read_text()) or {}
    }
    # A role may hand values to the gate: as keys of `vars`, never as something it reads.
    text = "\n".join(
        path.read_text()
        for folder in ("tasks", "vars", "defaults", "templates")
        for path in sorted((ROOT / f"roles/{role}/{folder}").glob("**/*"))
        if path.is_file()
    )
    read = set()
    for expression in re.findall(r"\{\{.*?\}\}|\{%.*?%\}|when: .*", text, re.DOTALL):
        read |= set(re.findall(r"[a-z_]+", expression))
    assert not read & others, f"{role} reads {sorted(read & others)}: let the playbooks pass the value"


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("image_build",)])
def test_only_image_build_reads_sources(role: str) -> None:
    images = "|".join(folder.name for folder in (ROOT / "images").iterdir())
    for path in (ROOT / "roles" / role).glob("**/*"):
        if path.suffix in (".yml", ".j2", ".py") and "tests" not in path.parts and path.is_file():
            found = re.findall(rf"\brust/[a-z]|\bpython/src|\bimages/(?:{images})\b", path.read_text())
            assert not found, f"{path.relative_to(ROOT)} names a source folder: {found}"


def test_playbooks_hold_no_logic_of_their_own() -> None:
    for path in (ROOT / "playbooks").glob("*.yml"):
        for play in yaml.safe_load(path.read_text()):
            for task in play.get("tasks", []):
                action = {key for key in task if key.startswith("ansible.builtin.")}
                assert action == {"ansible.builtin.include_role"}, f"{path.name}: {task.get('name')}"


def test_recorded_hosts_are_the_same_for_both_languages() -> None:
    """python/ tests alone, so it holds a copy of what rust/ records; the copies must not drift."""
    copies = ROOT / "python/tests/fixtures"
    originals = {path.name: path for path in (ROOT / "rust/testkit/fixtures").glob("*")}
    shared = [path for path in copies.glob("*") if path.name in originals]
    assert shared, "no shared recording was found"
    for copy in shared:
        done = subprocess.run(["diff", "-r", originals[copy.name], copy], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[:2000]


def test_nothing_tracked_names_the_machine_it_was_written_on() -> None:
    forbidden = re.compile(r"/work/(?:main|shared|brief|\.library)|/root/\.(?:pyenv|cargo)")
    for path in tracked():
        if path == Path(__file__).resolve():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        assert not forbidden.search(text), path


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_make_help_lists_every_public_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))
    assert targets == explained, f"without a line of help: {targets - explained}"
    wanted = set("deploy verify status scan rollback uninstall lab lab-down images bundle wheels check test bench docs".split())
    assert wanted <= targets
