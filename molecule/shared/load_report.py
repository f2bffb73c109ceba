"""What a load run found out: counts, latencies, every failure, the longest gap without success."""

from __future__ import annotations

import datetime
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Failures that are kept word for word for each target; the rest are only counted.
KEPT_FAILURES = 200
#: A run below this share of the wanted rate did not put the load on that it claims.
LEAST_RATE_SHARE = 0.9


def percentile(ordered: list[float], share: float) -> float | None:
    """The nearest-rank percentile of an ordered list; None if it is empty."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


@dataclass
class Outcome:
    """One request: when it was sent (seconds since the run began), how long it took, its end."""

    client: str
    method: str
    path: str
    sent: float
    took: float
    status: int | None
    error: str

    @property
    def good(self) -> bool:
        """Whether the answer was complete and of the 2xx family."""
        return not self.error and self.status is not None and 200 <= self.status < 300


@dataclass
class Tally:
    """Counts the outcomes of one target; safe to call from many threads."""

    target: str
    latencies: list[float] = field(default_factory=list)
    by_client: dict[str, dict[str, int]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0
    total: int = 0
    last_success: float = 0.0
    longest_gap: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        """Takes one outcome in."""
        ended = outcome.sent + outcome.took
        with self.lock:
            self.total += 1
            word = str(outcome.status) if outcome.status is not None else "none"
            self.statuses[word] = self.statuses.get(word, 0) + 1
            client = self.by_client.setdefault(outcome.client, {"total": 0, "failed": 0})
            client["total"] += 1
            if outcome.good:
                self.latencies.append(outcome.took)
                self.longest_gap = max(self.longest_gap, ended - self.last_success)
                self.last_success = max(self.last_success, ended)
                return
            self.failed += 1
            client["failed"] += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(
                    {
                        "at_s": round(outcome.sent, 3),
                        "took_s": round(outcome.took, 3),
                        "client": outcome.client,
                        "request": f"{outcome.method} {outcome.path}",
                        "status": outcome.status,
                        "error": outcome.error,
                    }
                )

    def summary(self, seconds: float) -> dict[str, Any]:
        """The figures of this target after a run of so many seconds; latencies in milliseconds."""
        with self.lock:
            ordered = sorted(self.latencies)

            def milliseconds(share: float) -> float | None:
                value = percentile(ordered, share)
                return None if value is None else round(value * 1000, 2)

            return {
                "total": self.total,
                "failed": self.failed,
                "rate": round(self.total / seconds, 1) if seconds > 0 else 0.0,
                "p50_ms": milliseconds(0.50),
                "p95_ms": milliseconds(0.95),
                "p99_ms": milliseconds(0.99),
                "max_ms": milliseconds(1.0),
                "longest_gap_s": round(max(self.longest_gap, seconds - self.last_success), 3),
                "clients": self.by_client,
                "statuses": self.statuses,
                "failures": self.failures,
            }


def make(
    tallies: list[Tally], began: datetime.datetime, seconds: float, rate: float
) -> dict[str, Any]:
    """The report of a run: totals, then every target. `verdict` is `good` or says what was not."""
    targets = {tally.target: tally.summary(seconds) for tally in tallies}
    failed = sum(target["failed"] for target in targets.values())
    slow = [name for name, target in targets.items() if target["rate"] < rate * LEAST_RATE_SHARE]
    verdict = "good"
    if failed:
        verdict = f"{failed} requests failed"
    elif slow:
        verdict = f"the wanted {rate:g} requests/s were not reached at {', '.join(slow)}"
    return {
        "verdict": verdict,
        "began": began.isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 2),
        "wanted_rate": rate,
        "total": sum(target["total"] for target in targets.values()),
        "failed": failed,
        "targets": targets,
    }


def write(path: Path, report: dict[str, Any]) -> None:
    """Writes the report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(report, indent=2) + "\n")
    draft.rename(path)
