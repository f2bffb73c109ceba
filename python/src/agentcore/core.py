"""AGENTCore: composes the agents, the model and the capabilities, and runs a request.

Everything that a caller needs without HTTP: ``AGENTCore().run("developer", {...})``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentcore.agents.contract import Agent, Report
from agentcore.agents.developer import DeveloperAgent
from agentcore.agents.lawyer import LawyerAgent
from agentcore.errors import AgentCoreError, InputError, NotFoundError
from agentcore.integration import ComponentStatus, RustIntegrationManager, default_manager
from agentcore.text import FastStringProcessor

if TYPE_CHECKING:
    from agentcore.ml.embeddings import EmbeddingModel
    from agentcore.ml.router import Route, Router
    from agentcore.ml.search import Hit

__all__ = ["AUTO", "AGENTCore", "ModelStatus", "RunOutcome"]

AUTO = "auto"
"""The name under which a prompt is routed to the agent it fits."""
MAX_PROMPT_CHARS = 4000
MAX_HITS = 50


@dataclass(frozen=True)
class ModelStatus:
    """State of the embedding model.

    Attributes:
        name: the model's name.
        state: ``loaded``, ``unloaded``, ``absent``, ``broken`` or ``off``.
        reason: why it is not loaded; empty when it is.
        sha256: the pinned hash of its weights; empty unless loaded.
    """

    name: str
    state: str
    reason: str = ""
    sha256: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the status as JSON data."""
        return {
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class RunOutcome:
    """What a run led to: a report, or a question when the prompt did not say enough.

    Attributes:
        agent: who answered; empty when there is a question.
        report: the answer, or None.
        route: how the prompt was routed, or None if the agent was named.
    """

    agent: str
    report: Report | None
    route: Route | None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON data."""
        data: dict[str, Any] = {
            "agent": self.agent,
            "status": "succeeded" if self.report else "question",
            "result": self.report.to_dict() if self.report else None,
        }
        if self.route:
            data["route"] = {
                "question": self.route.question,
                "margin": round(self.route.margin, 4),
                "scores": {name: round(score, 4) for name, score in self.route.scores},
            }
        return data


class AGENTCore:
    """The agents and what they stand on. Safe under threads.

    Args:
        manager: who chooses native or Python; the process's manager if not given.
        use_model: whether there is an embedding model; without it nothing is routed or searched.

    Raises:
        NativeUnavailableError: native code is required and can't be used.
    """

    def __init__(
        self, manager: RustIntegrationManager | None = None, *, use_model: bool = True
    ) -> None:
        self.manager = default_manager() if manager is None else manager
        self.strings = FastStringProcessor(manager=self.manager)
        self._use_model = use_model
        self._model: EmbeddingModel | None = None
        self._router: Router | None = None
        self._model_error: AgentCoreError | None = None
        self._loading = threading.Lock()
        self._trader: Agent | None = None
        self._others: dict[str, Agent] = {
            agent.name: agent
            for agent in (
                DeveloperAgent(self.strings),
                LawyerAgent(self.strings, self._search_documents),
            )
        }

    @property
    def agents(self) -> dict[str, Agent]:
        """The agents by name."""
        from agentcore.agents.trader import TraderAgent  # late: it brings NumPy

        if self._trader is None:
            self._trader = TraderAgent()
        return dict(sorted((self._others | {self._trader.name: self._trader}).items()))

    def agent(self, name: str) -> Agent:
        """Return one agent.

        Raises:
            NotFoundError: there is none of that name.
        """
        if name in self._others:
            return self._others[name]
        agents = self.agents
        if name not in agents:
            raise NotFoundError(
                "there is no such agent", repr(name), "one of " + ", ".join([*agents, AUTO])
            )
        return agents[name]

    def run(self, name: str, inputs: Mapping[str, Any], prompt: str = "") -> RunOutcome:
        """Run an agent, or with the name ``auto`` the one that the prompt fits.

        Raises:
            NotFoundError: there is no such agent.
            InputError: an input is not acceptable, or ``auto`` has no prompt.
            AgentCoreError: the model is needed and is not there.
        """
        if name != AUTO:
            return RunOutcome(name, self.agent(name).run(inputs), None)
        route = self.route(prompt)
        if not route.agent:
            return RunOutcome("", None, route)
        return RunOutcome(route.agent, self.agent(route.agent).run(inputs), route)

    def route(self, prompt: str) -> Route:
        """Choose the agent for a prompt, or a question to ask back.

        Raises:
            InputError: the prompt is empty or too long.
            AgentCoreError: the model is not there.
        """
        if not prompt.strip() or len(prompt) > MAX_PROMPT_CHARS:
            raise InputError(
                f"{len(prompt)} characters", "prompt", f"1 to {MAX_PROMPT_CHARS} characters of text"
            )
        self.load_model()
        assert self._router is not None  # noqa: S101  # load_model made it or raised
        return self._router.route(prompt)

    def search(self, query: str, documents: Sequence[tuple[str, str]], limit: int = 5) -> list[Hit]:
        """Search documents, (name, text) pairs; each hit quotes its passage word for word.

        Raises:
            InputError: the query or the limit is not acceptable.
            AgentCoreError: the model is not there.
        """
        from agentcore.ml.search import search

        if not query.strip() or len(query) > MAX_PROMPT_CHARS:
            raise InputError(f"{len(query)} characters", "query", f"1 to {MAX_PROMPT_CHARS}")
        if not 1 <= limit <= MAX_HITS:
            raise InputError(f"got {limit}", "limit", f"1 to {MAX_HITS}")
        return search(self.load_model(), query, documents, limit)

    def load_model(self) -> EmbeddingModel:
        """Load and self-test the model if that was not done yet; a failure is remembered.

        Raises:
            AgentCoreError: the model is off, absent, not the pinned one, or does not work.
        """
        if not self._use_model:
            raise AgentCoreError("the embedding model is off", "model", "a start with it on")
        with self._loading:
            if self._model_error:
                raise self._model_error
            if self._model is None:
                from agentcore.ml.embeddings import EmbeddingModel
                from agentcore.ml.router import Router

                try:
                    model = EmbeddingModel.load()
                except AgentCoreError as error:
                    self._model_error = error
                    raise
                except ImportError as error:
                    self._model_error = AgentCoreError(
                        f"cannot load the model: {error}", "model", "the packages of the lock"
                    )
                    raise self._model_error from error
                agents = self.agents
                self._router = Router(
                    model,
                    {name: agent.examples for name, agent in agents.items()},
                    {name: agent.description for name, agent in agents.items()},
                )
                self._model = model
            return self._model

    def model_status(self) -> ModelStatus:
        """Return the model's state without loading it."""
        name = "l2-supercat-256"
        if not self._use_model:
            return ModelStatus(name, "off", "switched off")
        if self._model is not None:
            return ModelStatus(name, "loaded", "", self._model.source.sha256["weights"])
        if self._model_error is not None:
            absent = getattr(self._model_error, "absent", False)
            return ModelStatus(name, "absent" if absent else "broken", str(self._model_error))
        return ModelStatus(name, "unloaded", "not loaded yet")

    def components(self) -> dict[str, ComponentStatus]:
        """Return how each component is answered for."""
        return self.manager.status()

    def _search_documents(
        self, query: str, documents: list[tuple[str, str]], limit: int
    ) -> list[Hit]:
        return self.search(query, documents, limit)
