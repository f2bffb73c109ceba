"""AGENTCore's own figures, in Prometheus's text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from agentcore.integration import ComponentStatus

__all__ = ["Metrics"]

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nothing here reads

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Components(Collector):
    """Reads the components' states when Prometheus asks, so that they are never stale."""

    def __init__(self, statuses: Callable[[], Mapping[str, ComponentStatus]]) -> None:
        self._statuses = statuses

    def collect(self) -> Iterable[Metric]:
        """Yield one sample per component and family."""
        native = GaugeMetricFamily(
            "agentcore_component_native",
            "1 if the component answers natively",
            labels=["component"],
        )
        info = GaugeMetricFamily(
            "agentcore_component_info",
            "State of the component, always 1",
            labels=["component", "implementation", "state", "version"],
        )
        faults = CounterMetricFamily(
            "agentcore_component_faults", "Native calls that failed inside", labels=["component"]
        )
        for name, status in self._statuses().items():
            native.add_metric([name], status.implementation == "native")
            info.add_metric([name, status.implementation, status.state, status.version], 1)
            faults.add_metric([name], status.faults)
        return (native, info, faults)


class Metrics:
    """The registry and what is counted in it.

    Args:
        version: the version of the package.
        flavor: says ``native`` or ``python`` when asked.
        statuses: says how each component is answered for; empty while not known yet.
    """

    def __init__(
        self,
        version: str,
        flavor: Callable[[], str],
        statuses: Callable[[], Mapping[str, ComponentStatus]],
    ) -> None:
        self.registry = CollectorRegistry()
        self._info = (version, flavor)
        self._service = Gauge(
            "agentcore_service_info",
            "The service and its implementation, always 1",
            ["service", "implementation", "version"],
            registry=self.registry,
        )
        self.ready = Gauge(
            "agentcore_ready", "1 if the service takes requests", registry=self.registry
        )
        self.guard = Gauge(
            "agentcore_boot_guard_active",
            "1 if native code is off because the process died repeatedly",
            registry=self.registry,
        )
        self.requests = Counter(
            "agentcore_http_requests",
            "HTTP requests answered",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "agentcore_http_request_duration_seconds",
            "Time from the request's head to the answer's end",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "agentcore_http_requests_in_flight",
            "HTTP requests being answered",
            registry=self.registry,
        )
        self.runs = Counter(
            "agentcore_runs", "Runs finished", ["agent", "status"], registry=self.registry
        )
        self.run_seconds = Histogram(
            "agentcore_run_duration_seconds",
            "Time that runs took",
            ["agent"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refused = Counter(
            "agentcore_runs_refused",
            "Runs refused because the queue was full",
            registry=self.registry,
        )
        self.withheld = Counter(
            "agentcore_quotes_withheld",
            "Quotes held back because they were not verbatim",
            registry=self.registry,
        )
        self.registry.register(_Components(statuses))
        ProcessCollector(registry=self.registry)

    def render(self) -> bytes:
        """Return the exposition text."""
        version, flavor = self._info
        self._service.clear()
        self._service.labels("agentcore", flavor(), version).set(1)
        return generate_latest(self.registry)
