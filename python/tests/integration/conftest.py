"""Shared objects that are really broken, each in its own way, made with the C compiler."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

COMPONENT = "agent_core_utils"

Build = Callable[[str], Path]

# A module that loads; BODY runs in its init function, after the module was made.
_SOURCE = """
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "agent_core_utils", 0, -1, 0};
%(before)s
PyMODINIT_FUNC PyInit_agent_core_utils(void) {
    PyObject *module = PyModule_Create(&definition);
    %(body)s
    return module;
}
"""


def compiler() -> str:
    """Return the C compiler, or skip the test and say why."""
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("no C compiler (cc or gcc) to build broken shared objects with")
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        pytest.skip(f"no Python headers: {header} is missing")
    return found


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Path]:
    """Build ``agent_core_utils.abi3.so`` of the given C; return the folder it lies in."""

    def built(body: str, before: str = "") -> Path:
        command = compiler()
        folder = tmp_path / "lib"
        folder.mkdir(exist_ok=True)
        target = folder / f"{COMPONENT}.abi3.so"
        include = f"-I{sysconfig.get_path('include')}"
        source = tmp_path / "module.c"
        source.write_text(_SOURCE % {"body": body, "before": before})
        subprocess.run(
            [command, "-shared", "-fPIC", "-w", include, str(source), "-o", str(target)],
            check=True,
        )
        return folder

    return built
