"""``agentcore doctor``: which implementation answers for each component, and do both agree.

Every self-test vector is put to the twin here and, where a native module is there, to that (in a
child process, by the manager, before it is trusted). Exit status 1 if any answer is wrong or a
component is broken; absent and disabled are no fault.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
from types import SimpleNamespace
from typing import Any

from agentcore import __version__
from agentcore.cli.text import table
from agentcore.core import AGENTCore
from agentcore.errors import AgentCoreError
from agentcore.integration import RustIntegrationManager
from agentcore.integration.probe import run_vectors

__all__ = ["TWINS", "add_arguments", "run"]

_BAD = frozenset(("broken", "self_test_failed", "tripped"))
TWINS = {
    "agent_core_utils": (
        "agentcore.cache.twin",
        "agentcore.http.twin",
        "agentcore.queue.twin",
        "agentcore.text.twin",
    ),
    "agent_container_orchestrator": ("agentcore.containers.twin",),
    "agent_security_tools": ("agentcore.security.twin",),
    "agent_performance_monitor": ("agentcore.performance.twin",),
}
"""Component to the modules whose public names together are its twin."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="form (default text)"
    )


def run(args: argparse.Namespace) -> int:
    """Examine all components; return 0 if all that is there works."""
    manager = RustIntegrationManager()
    components = [
        status.to_dict() | _twin(name) | {"component": name}
        for name, status in manager.status().items()
    ]
    core = AGENTCore(manager)
    with contextlib.suppress(AgentCoreError):  # its status, printed below, says why
        core.load_model()
    model = core.model_status().to_dict()
    bad = any(one["twin_failures"] or one["state"] in _BAD for one in components)
    bad = bad or model["state"] == "broken"
    if args.format == "json":
        body = {"version": __version__, "ok": not bad, "components": components, "model": model}
        print(json.dumps(body, indent=2, ensure_ascii=False))
    else:
        print(_text(components, model, bad))
    return int(bad)


def twin_namespace(component: str) -> SimpleNamespace:
    """Return the twin of a component with the names of its native module."""
    names: dict[str, Any] = {}
    for module in TWINS[component]:
        found = vars(importlib.import_module(module))
        names |= {key: value for key, value in found.items() if not key.startswith("_")}
    return SimpleNamespace(**names)


def _twin(component: str) -> dict[str, Any]:
    try:
        answers = run_vectors(component, twin_namespace(component))
    except ImportError as error:
        return {"vectors": 0, "twin_failures": [f"cannot be tested: {error}"]}
    wrong = [f"{vector}: {reason}" for vector, reason in answers if reason]
    if not answers:
        wrong = ["it has no self-test"]
    return {"vectors": len(answers), "twin_failures": wrong}


def _text(components: list[dict[str, Any]], model: dict[str, str], bad: bool) -> str:
    rows = [("component", "answers", "state", "version", "self-test", "path and reason")]
    for one in components:
        passed = f"{max(one['vectors'] - len(one['twin_failures']), 0)}/{one['vectors']}"
        test = "twin " + passed
        if one["state"] == "native":
            test += f", native {one['vectors']}/{one['vectors']}"
        why = "; ".join(part for part in (one["path"], one["reason"]) if part)
        version = one["version"] or "-"
        rows.append((one["component"], one["implementation"], one["state"], version, test, why))
    lines = [table(rows)]
    failures = [f"{c['component']}: twin: {w}" for c in components for w in c["twin_failures"]]
    if failures:
        lines.append("\n".join(failures))
    lines.append(f"model {model['name']}: {model['state']} {model['reason']}".rstrip())
    verdict = "something is wrong, see above" if bad else "all that is there works"
    lines.append(f"agentcore {__version__}: {verdict}")
    return "\n\n".join(lines)
