"""Task ``image_build``: builds the release's images on the control host, with live progress.

An action and not a module, because a module cannot speak before it is done and a first build
takes minutes. The work itself is in ``module_utils/agentcore_images``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# A role's module_utils are found for modules alone; an action must look for itself.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils"))

from agentcore_images.build import Outcome, build, plan  # noqa: E402
from agentcore_images.context import Context  # noqa: E402
from agentcore_images.errors import BuildError  # noqa: E402

DISPLAY = Display()
ARGUMENTS = {
    "source_dir": {"type": "path", "required": True},
    "release_dir": {"type": "path", "required": True},
    "cache_dir": {"type": "path", "required": True},
    "tools_dir": {"type": "path", "required": True},
    "suite": {"type": "str", "required": True},
    "mirror": {"type": "str", "default": ""},
    "packages_serial": {"type": "str", "default": "1"},
    "source_date_epoch": {"type": "int", "required": True},
    "native": {"type": "str", "default": "auto", "choices": ["auto", "true", "false"]},
    "rust_profile": {"type": "str", "default": "release"},
    "python_version": {"type": "str", "required": True},
    "base_image": {"type": "str", "default": ""},
    "base_images": {"type": "dict", "default": {}},
    "docker": {"type": "str", "default": "docker"},
    "step_timeout": {"type": "float", "default": 3600},
    "lock_timeout": {"type": "float", "default": 1800},
}
# Folders whose images stand on Debian packages, and so on a base image if one is named.
ON_DEBIAN = ("agentcore", "edge", "prometheus")


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs a build, or in check mode says what one would make."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return ``release`` (the record), ``steps``, ``notes``, ``missing``, ``seconds``."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        ctx = _context(args)
        start = time.monotonic()
        try:
            outcome = plan(ctx) if self._task.check_mode else build(ctx, args["lock_timeout"])
        except BuildError as error:
            raise AnsibleActionFail(f"image_build: {error}") from error
        result.update(
            changed=outcome.changed,
            release=outcome.release,
            missing=outcome.missing,
            notes=outcome.notes,
            steps=[vars(step) for step in ctx.steps],
            seconds=round(time.monotonic() - start, 3),
            msg=_message(outcome, self._task.check_mode),
        )
        for note in outcome.notes:
            DISPLAY.warning(note)
        return result


def _context(args: dict[str, Any]) -> Context:
    bases = {str(key): str(value) for key, value in args["base_images"].items()}
    if args["base_image"]:
        bases = dict.fromkeys(ON_DEBIAN, args["base_image"]) | bases
    return Context(
        root=Path(args["source_dir"]),
        cache=Path(args["cache_dir"]),
        release_dir=Path(args["release_dir"]),
        tools_dir=Path(args["tools_dir"]),
        suite=args["suite"],
        mirror=args["mirror"],
        packages_serial=args["packages_serial"],
        epoch=args["source_date_epoch"],
        native=args["native"],
        rust_profile=args["rust_profile"],
        python_version=args["python_version"],
        foreign_bases={folder: name for folder, name in bases.items() if name},
        docker=args["docker"],
        timeout_seconds=args["step_timeout"],
        say=lambda text: DISPLAY.display(f"  {text}"),
    )


def _message(outcome: Outcome, check: bool) -> str:
    if check:
        if not outcome.changed:
            return f"release {outcome.release['id']} is up to date"
        made = "; ".join(f"{key}: {', '.join(titles)}" for key, titles in outcome.missing.items())
        return f"a build would make {made or 'release.json'}"
    return f"release {outcome.release['id']}, {len(outcome.release['images'])} images"
