"""The arrows of the house, held by the syntax trees of every module.

cli -> api -> core -> agents -> capabilities -> integration; settings and errors are leaves; only
integration imports a native module; capabilities and agents never import each other.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agentcore.settings import COMPONENTS

ROOT = Path(__file__).parent.parent / "src" / "agentcore"
LEAVES = {"settings", "errors"}
CAPABILITIES = {"cache", "text", "performance", "security", "containers", "http", "queue"}
BELOW_AGENTS = LEAVES | {"integration", "daemon"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": {"errors"},
    "probe": set(),
    "daemon": LEAVES | {""},
    "integration": LEAVES | {""},
    "ml": LEAVES,
    "agents": CAPABILITIES | LEAVES | {"ml"},
    "core": CAPABILITIES | LEAVES | {"agents", "ml", "integration"},
    "api": CAPABILITIES | BELOW_AGENTS | {"agents", "ml", "core", ""},
    "cli": CAPABILITIES | BELOW_AGENTS | {"agents", "ml", "core", "api", "probe", ""},
    "__main__": {"cli"},
    "": {"cache", "http", "queue", "text", "core", "integration"},
} | {capability: BELOW_AGENTS | {""} for capability in CAPABILITIES}
MODULES = sorted(ROOT.rglob("*.py"))


def room_of(module: str) -> str:
    """Return the room of a dotted name within the package; "" is the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path, text: str | None = None) -> list[tuple[int, str]]:
    """Return (line, dotted module) of each import: statements, and import_module of a literal."""
    package = ["agentcore", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8") if text is None else text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
            if base == "agentcore":  # from agentcore import X: X is a room, or a name of the root
                rooms = [alias.name for alias in node.names]
                found += [(node.lineno, f"agentcore.{name}") for name in rooms if _is_room(name)]
                found += [(node.lineno, base) for name in rooms if not _is_room(name)]
            else:
                found.append((node.lineno, base))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__"):
                found.append((node.lineno, str(node.args[0].value)))
    return found


def _is_room(name: str) -> bool:
    return (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file()


def own_room(path: Path) -> str:
    """Return the room a file stands in."""
    name = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = own_room(path)
    for line, module in imports(path):
        if module.split(".")[0] != "agentcore":
            continue
        target = room_of(module)
        assert target == room or target in MAY_IMPORT[room], f"{path}:{line} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_integration_imports_native_modules(path: Path) -> None:
    if own_room(path) == "integration":
        return
    for line, module in imports(path):
        assert module.split(".")[0] not in COMPONENTS, f"{path}:{line} imports {module}"


def test_agents_do_not_import_each_other() -> None:
    for path in (ROOT / "agents").rglob("*.py"):
        parts = path.relative_to(ROOT / "agents").parts
        for line, module in imports(path):
            other = module.split(".")[2:3] if module.startswith("agentcore.agents.") else []
            if len(parts) > 1 and other and (ROOT / "agents" / other[0]).is_dir():
                assert other[0] == parts[0], f"{path}:{line} imports {module}"


def test_the_probe_needs_only_the_standard_library() -> None:
    assert {module for _, module in imports(ROOT / "probe.py")} == {"socket", "sys", "time"}


def test_every_room_has_its_arrows() -> None:
    assert {own_room(path) for path in MODULES} <= set(MAY_IMPORT)


def test_the_checker_sees_every_way_to_import() -> None:
    text = (
        "from agentcore import cache, __version__\n"
        "def f():\n"
        "    import agent_core_utils as native\n"
        "    from ..cache import twin\n"
        "    from . import facade\n"
        "    importlib.import_module('agent_security_tools')\n"
    )
    assert {module for _, module in imports(ROOT / "text" / "made_up.py", text)} == {
        "agentcore.cache",
        "agentcore",
        "agent_core_utils",
        "agentcore.text",
        "agent_security_tools",
    }
