"""RustIntegrationManager against real shared objects, broken in all the ways they break."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agentcore.errors import ConfigurationError, NativeUnavailableError
from agentcore.integration import COMPONENTS, ComponentStatus, RustIntegrationManager
from agentcore.settings import NativeMode, Settings

COMPONENT = "agent_core_utils"
VERSION = "0.1.0"
SET_VERSION = f'PyModule_AddStringConstant(module, "__version__", "{VERSION}");'
Build = Callable[..., Path]


def managed(
    folder: Path, mode: NativeMode = NativeMode.AUTO, deadline: float = 10.0
) -> RustIntegrationManager:
    settings = Settings(native=mode, lib_dir=folder)
    return RustIntegrationManager(settings, version=VERSION, probe_deadline=deadline)


def status_of(folder: Path, deadline: float = 10.0) -> ComponentStatus:
    """Ask for the module, as a facade does, and return what the manager says about it."""
    manager = managed(folder, deadline=deadline)
    assert manager.native(COMPONENT) is None
    status = manager.status()[COMPONENT]
    assert status.implementation == "python"
    return status


def test_absent_is_not_broken(tmp_path: Path) -> None:
    status = status_of(tmp_path)
    assert status.state == "absent"
    assert status.reason == f"no {COMPONENT}.abi3.so in {tmp_path}"
    assert (status.name, status.path, status.faults) == ("agent-core-utils", "", 0)


def test_a_folder_that_is_missing_is_absent(tmp_path: Path) -> None:
    assert status_of(tmp_path / "nowhere").state == "absent"


@pytest.mark.parametrize("content", [b"", b"no ELF", b"\x7fELF" + bytes(100)])
def test_a_corrupt_file_is_broken(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"{COMPONENT}.abi3.so"
    file.write_bytes(content)
    status = status_of(tmp_path)
    assert status.state == "broken"
    assert status.reason.startswith("ImportError: ")
    assert status.path == str(file)


def test_a_dangling_link_is_broken(tmp_path: Path) -> None:
    (tmp_path / f"{COMPONENT}.abi3.so").symlink_to("gone.so")
    assert status_of(tmp_path).state == "broken"


def test_a_missing_symbol_is_broken(build: Build) -> None:
    folder = build("nowhere_defined();", "extern void nowhere_defined(void);")
    status = status_of(folder)
    assert status.state == "broken"
    assert "undefined symbol: nowhere_defined" in status.reason


def test_a_module_of_another_name_is_broken(build: Build) -> None:
    folder = build(SET_VERSION)
    (folder / f"{COMPONENT}.abi3.so").rename(folder / "agent_security_tools.abi3.so")
    status = managed(folder).status()["agent_security_tools"]
    assert status.state == "broken"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("abort();", "killed by SIGABRT while importing"),
        ("*(volatile int *)0 = 1;", "killed by SIGSEGV while importing"),
        ("exit(0);", "ended the process with status 0 while importing"),
        ("_exit(3);", "ended the process with status 3 while importing"),
        ('fputs("last words\\n", stderr); abort();', "SIGABRT while importing: last words"),
        ('PyErr_SetString(PyExc_OSError, "no luck"); return 0;', "OSError: no luck"),
        ("return 0;", "SystemError: initialization of agent_core_utils failed"),
    ],
)
def test_dying_at_import_kills_only_the_child(build: Build, body: str, reason: str) -> None:
    status = status_of(build(body))
    assert status.state == "broken"
    assert reason in status.reason


def test_hanging_at_import_ends_at_the_deadline(build: Build) -> None:
    folder = build("for (;;) sleep(60);")
    began = time.monotonic()
    status = status_of(folder, deadline=1.0)
    assert time.monotonic() - began < 5
    assert status.state == "broken"
    assert status.reason == "did not finish importing within 1 s"


def test_a_process_left_behind_does_not_hold_the_verdict_up(build: Build) -> None:
    folder = build("if (fork() == 0) { sleep(8); _exit(0); } abort();")
    began = time.monotonic()
    assert status_of(folder, deadline=2.0).state == "broken"
    assert time.monotonic() - began < 6


def test_what_it_prints_is_not_taken_for_the_report(build: Build) -> None:
    lie = '{\\"verdict\\": [\\"native\\", \\"\\", \\"0.1.0\\"]}'
    status = status_of(build(f'puts("{lie}"); fflush(stdout); abort();'))
    assert status.state == "broken"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "it has no __version__"),
        (
            'PyModule_AddStringConstant(module, "__version__", "9.9.9");',
            "it is version 9.9.9, this package is 0.1.0",
        ),
    ],
)
def test_another_version_is_broken(build: Build, body: str, reason: str) -> None:
    status = status_of(build(body))
    assert (status.state, status.reason) == ("broken", reason)


def test_a_missing_function_fails_the_self_test(build: Build) -> None:
    status = status_of(build(SET_VERSION))
    assert status.state == "self_test_failed"
    assert status.reason.startswith("self-test 'lru order' raised AttributeError: ")


# Python run inside the init function gives the module a surface, right or wrong.
_RUN = """
    PyObject *names = PyModule_GetDict(module);
    PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
    PyObject *code = Py_CompileString(%s, "surface", Py_file_input);
    if (!code || !PyEval_EvalCode(code, names, names)) return 0;
"""


def with_surface(code: str) -> str:
    quoted = '"' + code.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return SET_VERSION + _RUN % quoted


RIGHT = "".join(f"from agentcore.{room}.twin import *\n" for room in ("cache", "queue", "text"))


def test_right_answers_are_trusted(build: Build) -> None:
    """The borrowed surface answers right: what fails below fails for its own reason."""
    manager = managed(build(with_surface(RIGHT)), mode=NativeMode.REQUIRE)
    native = manager.native(COMPONENT)
    assert native is not None
    status = manager.status()[COMPONENT]
    assert (status.state, status.implementation, status.reason) == ("native", "native", "")
    assert status.version == native.__version__ == VERSION
    assert status.path == native.__file__


def test_wrong_results_fail_the_self_test(build: Build) -> None:
    status = status_of(build(with_surface(RIGHT + "redact_many = lambda texts, kinds: texts\n")))
    assert status.state == "self_test_failed"
    assert status.reason.startswith("self-test 'redact' answered ['jane@example.org")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os.abort()", "killed by SIGABRT while running self-test 'redact'"),
        ("time.sleep(60)", "did not finish running self-test 'redact' within 2 s"),
    ],
)
def test_dying_or_hanging_in_the_self_test(build: Build, code: str, reason: str) -> None:
    surface = RIGHT + f"import os, time\ndef redact_many(texts, kinds): {code}\n"
    status = status_of(build(with_surface(surface)), deadline=2.0)
    assert status.state == "self_test_failed"
    assert reason in status.reason


def test_one_broken_component_leaves_the_others_alone(build: Build) -> None:
    folder = build("abort();")
    statuses = managed(folder).load()
    assert set(statuses) == set(COMPONENTS)
    assert statuses[COMPONENT].state == "broken"
    assert {statuses[name].state for name in COMPONENTS if name != COMPONENT} == {"absent"}


def test_off_does_not_even_look(build: Build) -> None:
    manager = managed(build("abort();"), NativeMode.OFF)
    status = manager.status()[COMPONENT]
    assert (status.state, status.reason) == ("disabled", "AGENTCORE_NATIVE=off")
    assert manager.native(COMPONENT) is None


def test_require_fails_with_the_cause(build: Build, tmp_path: Path) -> None:
    manager = managed(build("abort();"), NativeMode.REQUIRE)
    with pytest.raises(NativeUnavailableError) as caught:
        manager.native(COMPONENT)
    assert "AGENTCORE_NATIVE=require" in str(caught.value)
    assert "broken: killed by SIGABRT while importing" in str(caught.value)
    with pytest.raises(NativeUnavailableError, match="absent: no agent_security_tools"):
        manager.native("agent_security_tools")
    assert manager.status()[COMPONENT].state == "broken"  # asking never raises
    with pytest.raises(NativeUnavailableError):
        manager.load()


def test_a_component_s_own_mode_wins(tmp_path: Path) -> None:
    env = {
        "AGENTCORE_NATIVE": "require",
        f"AGENTCORE_NATIVE_{COMPONENT.upper()}": "off",
        "AGENTCORE_LIB_DIR": str(tmp_path),
    }
    manager = RustIntegrationManager(Settings.from_env(env), version=VERSION)
    assert manager.native(COMPONENT) is None
    expected = f"AGENTCORE_NATIVE_{COMPONENT.upper()}=off"
    assert manager.status()[COMPONENT].reason == expected
    with pytest.raises(NativeUnavailableError):
        manager.native("agent_security_tools")


def test_any_other_mode_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTCORE_NATIVE", "maybe")
    with pytest.raises(ConfigurationError, match=r"AGENTCORE_NATIVE.*'maybe'.*auto, require, off"):
        RustIntegrationManager()


def test_an_unknown_component_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no such component.*agent_core_utils"):
        managed(tmp_path).native("agent_core")


class Listener:
    def __init__(self) -> None:
        self.told = 0

    def tell(self) -> None:
        self.told += 1


def test_repeated_faults_trip_the_component(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings(lib_dir=build(with_surface(RIGHT)))
    manager = RustIntegrationManager(settings, version=VERSION, fault_limit=2)
    listener, forgotten = Listener(), Listener()
    manager.on_trip(COMPONENT, listener.tell)
    manager.on_trip(COMPONENT, forgotten.tell)
    del forgotten
    assert manager.native(COMPONENT) is not None
    with caplog.at_level(logging.WARNING):
        manager.record_fault(COMPONENT, RuntimeError("one"))
        assert manager.status()[COMPONENT].state == "native"
        manager.record_fault(COMPONENT, RuntimeError("two"))
        manager.record_fault(COMPONENT, RuntimeError("three"))
    status = manager.status()[COMPONENT]
    assert (status.state, status.implementation, status.faults) == ("tripped", "python", 3)
    assert status.reason == "2 native calls failed, the last by RuntimeError: two"
    assert manager.native(COMPONENT) is None
    assert listener.told == 1
    assert f"{COMPONENT} now answers in Python" in caplog.text


def test_a_required_component_passes_its_faults_on(build: Build) -> None:
    manager = managed(build(with_surface(RIGHT)), NativeMode.REQUIRE)
    assert manager.native(COMPONENT) is not None
    cause = RuntimeError("inside")
    with pytest.raises(NativeUnavailableError, match="RuntimeError: inside") as caught:
        manager.record_fault(COMPONENT, cause)
    assert caught.value.__cause__ is cause


def test_falling_back_is_logged(build: Build, caplog: pytest.LogCaptureFixture) -> None:
    status_of(build("abort();"))
    assert f"{COMPONENT} answers in Python: broken: killed by SIGABRT" in caplog.text


def test_the_probe_leaves_no_process_behind(build: Build) -> None:
    status_of(build("for (;;) sleep(60);"), deadline=0.5)
    listing = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "args="],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "agentcore.integration.probe" not in listing.stdout


def test_a_service_lives_on_with_a_module_that_aborts(build: Build) -> None:
    """The whole promise, in a process of its own, through the public names."""
    code = (
        "import agentcore\n"
        "cache = agentcore.FastCacheManager(2)\n"
        "cache['a'] = agentcore.FastStringProcessor().normalize(' Still  HERE ')\n"
        "print(cache['a'], cache.implementation)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AGENTCORE_LIB_DIR": str(build("abort();")), "AGENTCORE_NATIVE": "auto",
             "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "still here python\n")
    assert "broken: killed by SIGABRT while importing" in done.stderr
