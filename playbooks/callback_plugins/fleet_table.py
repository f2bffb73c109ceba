# Apache-2.0 (see LICENSE)
"""Prints what matters at the end of a play: what runs where, what was refused and why; and how long the long steps took."""

from __future__ import annotations

import sys
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: fleet_table
type: aggregate
short_description: A table of services, the refusals, and the steps that took long
description: Gathers the results of container_status and container_service.
"""

COLUMNS = ("host", "service", "flavor", "version", "release", "health", "address")
LONG_STEP = 5.0  # seconds


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "fleet_table"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.began = time.monotonic()
        self.step = None
        self.rows = {}
        self.refusals = []
        self.failures = []
        self.went_on = False  # since the last failure

    # --- progress

    def close_step(self):
        if self.step:
            name, began = self.step
            seconds = time.monotonic() - began
            if seconds >= LONG_STEP:
                self._display.display("  %.0f s  %s" % (seconds, name), color="bright gray")
        self.step = None

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.close_step()
        self.step = (task.get_name(), time.monotonic())
        self.went_on = True

    def v2_playbook_on_play_start(self, play):
        self.close_step()

    # --- results

    def v2_runner_on_ok(self, result):
        action = result._task.action.rpartition(".")[2]
        host = result._host.get_name()
        answer = result._result
        if action == "container_status":
            for row in answer.get("services", []):
                self.rows[(host, row["service"])] = dict(row, host=host)
        elif action == "debug" and answer.get("msg"):
            # Hosts that are ok are not shown, to keep the output short; what a role says on purpose is.
            message = answer["msg"]
            self._display.display("\n".join(message) if isinstance(message, list) else str(message))
        elif action == "container_service":
            for incident in answer.get("incidents", []):
                self.refusals.append((host, incident, answer.get("outcome", "")))

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self.fail(result, result._task.get_name())

    def v2_runner_on_unreachable(self, result):
        self.fail(result, "unreachable")

    def fail(self, result, step):
        answer = result._result
        words = str(answer.get("msg") or answer.get("stderr") or answer.get("censored") or "no reason was given").strip()
        self.failures.append((result._host.get_name(), step, words))
        self.went_on = False

    # --- the end

    def v2_playbook_on_stats(self, stats):
        self.close_step()
        if self.rows:
            self.print_table(sorted(self.rows.values(), key=lambda row: (row["host"], row["service"])))
        if self.refusals:
            self._display.display("\nRefused by the gate", color="red")
            for host, incident, outcome in self.refusals:
                self._display.display(
                    "  %s  %s  step %s (%s): %s\n    then: %s; evidence: %s"
                    % (
                        host,
                        incident["service"],
                        incident["step"],
                        incident["flavor"] or "-",
                        incident["reason"],
                        outcome,
                        incident.get("folder", "-"),
                    )
                )
        if self.failures and self.went_on:  # otherwise it stands right above
            self._display.display("\nFailed", color="red")
            for host, step, words in self.failures:
                self._display.display("  %s  %s\n    %s" % (host, step, words.replace("\n", "\n    ")))
        self._display.display("\n%.0f s in all" % (time.monotonic() - self.began))

    def print_table(self, rows):
        cells = [[str(row.get(column) or "-") for column in COLUMNS] for row in rows]
        for row, line in zip(rows, cells):
            if row.get("drift"):
                line[COLUMNS.index("health")] += " (%s)" % row["drift"]
        widths = [max(len(line[at]) for line in [list(COLUMNS), *cells]) for at in range(len(COLUMNS))]
        self._display.display("")
        self._display.display("  ".join(name.upper().ljust(width) for name, width in zip(COLUMNS, widths)).rstrip())
        for row, line in zip(rows, cells):
            good = row["health"] == "healthy" and not row.get("drift")
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            self._display.display(text, color=None if good else "red")
        sys.stdout.flush()
