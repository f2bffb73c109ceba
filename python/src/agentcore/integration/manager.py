"""RustIntegrationManager: which implementation answers for each component, and why.

The manager never lies: a component is ``native`` only after its shared object
was imported and answered its self-test in a child process, has the package's
version, and then loaded here. Everything else has its own word and its cause.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Literal

from agentcore.errors import ConfigurationError, NativeUnavailableError
from agentcore.integration.isolation import PROBE_DEADLINE, try_in_child
from agentcore.integration.locate import Location, import_native, locate, search_folder
from agentcore.integration.probe import Verdict, check_version, run_vectors, untestable
from agentcore.settings import COMPONENTS, NativeMode, Settings

__all__ = [
    "COMPONENTS",
    "FAULT_LIMIT",
    "ComponentStatus",
    "Implementation",
    "RustIntegrationManager",
    "State",
    "default_manager",
    "is_native_panic",
]

Implementation = Literal["native", "python"]
State = Literal["native", "absent", "disabled", "broken", "self_test_failed", "tripped"]

FAULT_LIMIT = 3
"""Internal errors of native calls after which a component answers from its twin for good."""

_log = logging.getLogger(__name__)


def is_native_panic(error: BaseException) -> bool:
    """Tell whether ``error`` is a Rust panic that reached Python.

    Each PyO3 extension has its own PanicException class, so it is known by name.
    """
    return any(
        (kind.__module__, kind.__qualname__) == ("pyo3_runtime", "PanicException")
        for kind in type(error).__mro__
    )


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """How one component is answered for.

    Attributes:
        name: the component's distribution name, ``agent-core-utils``.
        module: its Python module, ``agent_core_utils``.
        implementation: who answers, ``native`` or ``python``.
        state: why, in one word of the contract.
        reason: the cause, for a reader; empty when native.
        version: the native module's version, if it could be read; else empty.
        path: the shared object, if one was found; else empty.
        faults: internal errors of native calls so far.
    """

    name: str
    module: str
    implementation: Implementation
    state: State
    reason: str
    version: str
    path: str
    faults: int

    def to_dict(self) -> dict[str, str | int]:
        """Return the status as plain values, for ``/readyz`` and ``--format json``."""
        return asdict(self)


@dataclass(slots=True)
class _Component:
    """What is known about one component; ``state`` is None until it was looked at."""

    module: str
    mode: NativeMode
    state: State | None = None
    reason: str = ""
    version: str = ""
    path: str = ""
    faults: int = 0
    native: ModuleType | None = None


class RustIntegrationManager:
    """Finds, proves, loads and watches the native modules, one by one.

    Components are independent: what happens to one never touches another. Each
    is looked at once, when first asked for; the answer only ever changes from
    ``native`` to ``tripped``.

    Args:
        settings: the modes and the folder; parsed from the environment if not given.
        isolate: try each module in a child process first. Without it a module
            that aborts takes this process along; for short-lived tools only.
        probe_deadline: seconds that a module has to import and pass its self-test.
        fault_limit: internal errors after which a component trips.
        version: the version native modules must have; the package's own if not given.

    Raises:
        ConfigurationError: an ``AGENTCORE_`` variable is unknown or has a bad value,
            or ``fault_limit`` or ``probe_deadline`` is not positive.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        isolate: bool = True,
        probe_deadline: float = PROBE_DEADLINE,
        fault_limit: int = FAULT_LIMIT,
        version: str | None = None,
    ) -> None:
        if fault_limit < 1:
            raise ConfigurationError(f"{fault_limit} is too few", "fault_limit", "at least 1")
        if not probe_deadline > 0:
            raise ConfigurationError(
                f"{probe_deadline} is not a deadline", "probe_deadline", "seconds above 0"
            )
        self._settings = Settings.from_env() if settings is None else settings
        self._isolate = isolate
        self._deadline = probe_deadline
        self._fault_limit = fault_limit
        self._version = _package_version() if version is None else version
        self._folder = search_folder(self._settings.lib_dir)
        self._components = {
            module: _Component(module, self._settings.native_mode(module)) for module in COMPONENTS
        }
        self._locks = {module: threading.RLock() for module in COMPONENTS}
        self._listeners: dict[str, list[weakref.WeakMethod[Callable[[], None]]]] = {}

    def native(self, module: str) -> ModuleType | None:
        """Return the loaded, self-tested native module, or None: answer from the twin.

        Raises:
            NativeUnavailableError: the component is required native and can't be.
            ConfigurationError: there is no such component.
        """
        component = self._settled(module)
        if component.state != "native" and component.mode is NativeMode.REQUIRE:
            raise self._refusal(component)
        return component.native

    def load(self, modules: Iterable[str] = COMPONENTS) -> Mapping[str, ComponentStatus]:
        """Look at all components now, side by side; a service calls this before it binds.

        Raises:
            NativeUnavailableError: a component is required native and can't be.
        """
        statuses = self.status()
        for module in modules:
            self.native(module)
        return statuses

    def status(self) -> dict[str, ComponentStatus]:
        """Return how each component is answered for; never raises for a bad module."""
        with ThreadPoolExecutor(len(COMPONENTS), "agentcore-probe") as pool:
            list(pool.map(self._settled, COMPONENTS))
        return {module: self._describe(self._components[module]) for module in COMPONENTS}

    def component_status(self, module: str) -> ComponentStatus:
        """Return how one component is answered for; leaves the others alone.

        Raises:
            ConfigurationError: there is no such component.
        """
        return self._describe(self._settled(module))

    def record_fault(self, module: str, error: BaseException) -> None:
        """Note that a native call failed inside; the caller answers from the twin.

        At the fault limit the component trips: :meth:`native` returns None from
        then on, and everyone who asked by :meth:`on_trip` is told.

        Raises:
            NativeUnavailableError: the component is required native, so the twin
                must not answer; carries ``error`` as its cause.
        """
        component = self._component(module)
        with self._locks[module]:
            component.faults += 1
            cause = f"{type(error).__name__}: {error}"
            tripping = component.state == "native" and component.faults >= self._fault_limit
            _log.warning("native call of %s failed (%d): %s", module, component.faults, cause)
            if tripping:
                component.state = "tripped"
                component.reason = f"{component.faults} native calls failed, the last by {cause}"
                component.native = None
                _log.error("%s now answers in Python: %s", module, component.reason)
        if tripping:
            for listener in self._listeners.get(module, []):
                tell = listener()
                if tell is not None:
                    tell()
        if component.mode is NativeMode.REQUIRE:
            raise NativeUnavailableError(
                f"a native call of {module} failed: {cause}", self._mode_source(module)
            ) from error

    def on_trip(self, module: str, listener: Callable[[], None]) -> None:
        """Call ``listener``, a bound method, held weakly, when ``module`` trips."""
        with self._locks[self._component(module).module]:
            alive = [known for known in self._listeners.get(module, []) if known() is not None]
            self._listeners[module] = [*alive, weakref.WeakMethod(listener)]

    def _component(self, module: str) -> _Component:
        try:
            return self._components[module]
        except KeyError:
            raise ConfigurationError(
                "there is no such component", repr(module), "one of " + ", ".join(COMPONENTS)
            ) from None

    def _settled(self, module: str) -> _Component:
        component = self._component(module)
        with self._locks[module]:
            if component.state is None:
                self._settle(component)
        return component

    def _settle(self, component: _Component) -> None:
        if component.mode is NativeMode.OFF:
            component.reason = f"{self._mode_source(component.module)}=off"
            component.state = "disabled"
            return
        place = locate(component.module, self._folder)
        component.path = place.shown
        if not place.found:
            component.reason = place.reason
            component.state = "absent"
            _log.info("%s answers in Python: absent: %s", component.module, place.reason)
            return
        verdict = self._prove(component, place)
        component.version, component.reason = verdict.version, verdict.reason
        if verdict.state == "native":
            component.state = "native"
            _log.info("%s is native, version %s", component.module, verdict.version)
            return
        component.native = None
        component.state = "self_test_failed" if verdict.state == "self_test_failed" else "broken"
        _log.error("%s answers in Python: %s: %s", component.module, *verdict[:2])

    def _prove(self, component: _Component, place: Location) -> Verdict:
        """Try the module in a child, then load it here; in-process only when not isolated."""
        if self._isolate:
            tried = try_in_child(component.module, place.file, self._version, self._deadline)
            if tried.state != "native":
                return tried
        try:
            native = import_native(component.module, place.file)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic is no Exception
            return Verdict("broken", f"{type(error).__name__}: {error}")
        mismatch = check_version(native, self._version)
        if mismatch is not None:
            return mismatch
        if not self._isolate:
            try:
                results = run_vectors(component.module, native)
            except Exception as error:  # noqa: BLE001 - what can't be tested is not trusted
                return untestable(error)
            for _, wrong in results:
                if wrong:
                    return Verdict("self_test_failed", wrong, self._version)
        component.native = native
        return Verdict("native", "", self._version)

    def _mode_source(self, module: str) -> str:
        own = module in self._settings.native_by_component
        return f"AGENTCORE_NATIVE_{module.upper()}" if own else "AGENTCORE_NATIVE"

    def _refusal(self, component: _Component) -> NativeUnavailableError:
        return NativeUnavailableError(
            f"{component.module} can not run native: {component.state}: {component.reason}",
            f"{self._mode_source(component.module)}=require",
            f"a working {component.module}.abi3.so of version {self._version}, or auto",
        )

    def _describe(self, component: _Component) -> ComponentStatus:
        with self._locks[component.module]:
            state = component.state or "absent"
            return ComponentStatus(
                name=component.module.replace("_", "-"),
                module=component.module,
                implementation="native" if state == "native" else "python",
                state=state,
                reason=component.reason,
                version=component.version,
                path=component.path,
                faults=component.faults,
            )


def _package_version() -> str:
    from agentcore import __version__  # late: the package may be half imported above

    return __version__


_default: RustIntegrationManager | None = None
_default_lock = threading.Lock()


def default_manager() -> RustIntegrationManager:
    """Return the process's manager, built from the environment when first asked for."""
    global _default  # noqa: PLW0603 - one per process is the meaning of it
    with _default_lock:
        if _default is None:
            _default = RustIntegrationManager()
        return _default
