"""Runs are kept, shared by two processes, and the oldest are dropped."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agentcore.api import store as module
from agentcore.api.store import RunStore
from agentcore.errors import ConfigurationError


def test_put_and_get(tmp_path: Path) -> None:
    store, neighbor = RunStore(tmp_path), RunStore(tmp_path)
    store.put("run_1", "trader", "00", b"{}")
    assert neighbor.get("trader", "run_1") == b"{}"
    assert neighbor.get("lawyer", "run_1") is None
    with pytest.raises(sqlite3.IntegrityError):
        neighbor.put("run_1", "trader", "00", b"{}")
    assert store.trouble() == ""
    store.close()
    neighbor.close()


def test_the_oldest_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIM_EVERY", 5)
    store = RunStore(tmp_path, keep=10)
    for number in range(50):
        store.put(f"run_{number}", "trader", "00", b"{}")
    kept = [number for number in range(50) if store.get("trader", f"run_{number}")]
    assert kept == list(range(40, 50))
    store.close()


def test_trouble_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.1)
    store = RunStore(tmp_path)
    other = sqlite3.connect(tmp_path / "runs.sqlite3", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "cannot be written" in store.trouble()
    other.execute("ROLLBACK")
    other.close()
    assert store.trouble() == ""
    store.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite3").write_text("hello " * 1000)
    with pytest.raises(ConfigurationError, match="--state-dir"):
        RunStore(tmp_path)
