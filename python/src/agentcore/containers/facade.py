"""FastContainerOrchestrator: what callers use; they can't tell which implementation answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentcore.containers import twin
from agentcore.containers.contract import EngineError, TemplateError
from agentcore.integration import RustIntegrationManager, default_manager, is_native_panic

__all__ = ["FastContainerOrchestrator"]

COMPONENT = "agent_container_orchestrator"


class FastContainerOrchestrator:
    """Templates, plans, and one Docker engine.

    The pure calls (``interpolate``, ``parse_template``, ``container_config``, ``compare``) touch
    no engine; the others connect when they are called. Who holds this object with an engine that
    answers is root on that host: in the appliance only the orchestrator does, and AGENTCore asks
    it through ``client.OrchestratorClient``.

    Args:
        docker: the engine's socket, ``unix:///path``.
        state_dir: folder of the records that rollbacks need.
        policy: what templates and sandboxes may ask of the host; ``{}`` is the strict default.
        manager: who chooses the implementation; the process's manager if not given.

    Raises:
        TemplateError: the address or the policy is refused.
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(
        self,
        docker: str = "unix:///var/run/docker.sock",
        state_dir: str = "/var/lib/agentcore/orchestrator",
        policy: dict[str, Any] | None = None,
        manager: RustIntegrationManager | None = None,
    ) -> None:
        self.policy = policy or {}
        self._manager = default_manager() if manager is None else manager
        self._native = self._manager.native(COMPONENT)
        self._twin_engine = twin.Engine(docker, state_dir, self.policy)
        self._native_engine: Any = None
        if self._native is not None:
            native = self._native
            self._native_engine = self._answer(
                lambda: native.Engine(docker, state_dir, self.policy), lambda: None
            )

    @property
    def implementation(self) -> str:
        """``native`` or ``python``."""
        return "python" if self._native is None else "native"

    def interpolate(self, text: str, variables: dict[str, str]) -> str:
        """Replace ``$NAME`` and ``${NAME…}`` in one text.

        Raises:
            TemplateError: a variable is not set, or a dollar sign starts nothing known.
        """
        return str(self._pure("interpolate", text, variables))

    def parse_template(self, text: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
        """Read, check and normalize a template in Compose syntax.

        Raises:
            TemplateError: with every problem and its path.
        """
        project: dict[str, Any] = self._pure("parse_template", text, variables or {}, self.policy)
        return project

    def container_config(
        self, project: dict[str, Any], service: str, image_id: str
    ) -> dict[str, Any]:
        """Return the engine's create request for a service of a project."""
        body: dict[str, Any] = self._pure("container_config", project, service, image_id)
        return body

    def compare(
        self, project: dict[str, Any], images: dict[str, str], containers: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Plan against given containers instead of an engine's."""
        found: dict[str, Any] = self._pure("plan", project, images, containers)
        return found

    def parse_sandbox(self, request: dict[str, Any]) -> dict[str, Any]:
        """Check a sandbox request and write out its defaults."""
        found: dict[str, Any] = self._pure("parse_sandbox", request, self.policy)
        return found

    def ping(self) -> dict[str, Any]:
        """Return the engine's version and the API version agreed on."""
        return self._engine("ping")

    def plan(self, project: dict[str, Any]) -> dict[str, Any]:
        """Say what ``apply`` would do; changes nothing."""
        return self._engine("plan", project)

    def apply(self, project: dict[str, Any]) -> dict[str, Any]:
        """Bring the engine to the project, behind a health gate, or leave it as it was.

        Raises:
            EngineError: ``gate_failed`` with the evidence in ``details``, ``busy``, …
        """
        return self._engine("apply", project)

    def status(self, project: str) -> dict[str, Any]:
        """Describe the containers of a project."""
        return self._engine("status", project)

    def rollback(self, project: str) -> dict[str, Any]:
        """Apply the specification that was applied before the current one."""
        return self._engine("rollback", project)

    def remove(self, project: str, volumes: bool = False) -> dict[str, Any]:
        """Remove a project's containers and networks, and its volumes if asked."""
        return self._engine("remove", project, volumes)

    def sandbox(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one throw-away container and return its exit code and output."""
        return self._engine("sandbox", request)

    def sweep(self) -> int:
        """Remove sandboxes whose owner died; return how many."""
        return int(self._call_engine("sweep"))

    def _pure(self, name: str, *args: Any) -> Any:
        function = getattr(self._native, name, None)
        answer: Callable[[], Any] = lambda: getattr(twin, name)(*args)  # noqa: E731
        return answer() if function is None else self._answer(lambda: function(*args), answer)

    def _engine(self, name: str, *args: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._call_engine(name, *args)
        return found

    def _call_engine(self, name: str, *args: Any) -> Any:
        method = getattr(self._native_engine, name, None)
        # A native call that broke half-way is safe to take over: apply recovers first.
        answer: Callable[[], Any] = lambda: getattr(self._twin_engine, name)(*args)  # noqa: E731
        return answer() if method is None else self._answer(lambda: method(*args), answer)

    def _answer(self, native: Callable[[], Any], fallback: Callable[[], Any]) -> Any:
        """Ask the native implementation; what is not an answer of the contract is a fault."""
        if self._native is None or self._manager.native(COMPONENT) is None:
            return fallback()  # tripped since
        engine_error: type[BaseException] = self._native.EngineError
        try:
            return native()
        except engine_error as error:
            raise EngineError.from_native(error) from None
        except UnicodeError:
            return fallback()  # text that is no Unicode cannot cross; the twin says so
        except ValueError as error:
            raise TemplateError(str(error).split("\n")) from None
        except KeyError:
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and not is_native_panic(error):
                raise
            self._manager.record_fault(COMPONENT, error)
            return fallback()
