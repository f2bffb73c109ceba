"""The harness: alternation, medians, ratios and bars are what its README says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.__main__ import known, load, main
from benchmarks.harness import Bar, Case, Contender, Subject, per_operation, run_subject, write


def contender(name: str, values: list[float], calls: list[str]) -> Contender:
    """A contender that gives these values, one a call; the first call is the warm-up."""
    left = iter(values)

    def measure() -> float:
        calls.append(name)
        return next(left)

    return Contender(name, "1", measure)


def subject(
    better: str, bar: Bar | None, missing: tuple[str, ...] = ()
) -> tuple[Subject, list[str]]:
    calls: list[str] = []
    ours = contender("ours", [99, 1, 2, 3, 4, 5], calls)
    peer = contender("peer", [99, 2, 4, 6, 8, 50], calls)
    case = Case("c", "ns/op", better, ours, [peer], bar)  # type: ignore[arg-type]
    return Subject("s", lambda: [case], missing), calls


@pytest.mark.parametrize(("better", "ratio"), [("lower", 2.0), ("higher", 0.5)])
def test_medians_of_rounds(better: str, ratio: float) -> None:
    made, _ = subject(better, None)
    (case,) = run_subject(made, 5, tell=lambda line: None)["cases"]
    assert case["ours"] == 3
    assert case["peers"] == [{"name": "peer", "version": "1", "value": 6, "ratio": ratio}]
    assert (case["bar"], case["holds"]) == (None, None)


@pytest.mark.parametrize(("must", "holds"), [(2.0, True), (2.01, False)])
def test_bars(must: float, holds: bool) -> None:
    made, _ = subject("lower", Bar("peer", must, 9.0))
    told: list[str] = []
    (case,) = run_subject(made, 5, tell=told.append)["cases"]
    assert case["bar"] == {"against": "peer", "must": must, "aim": 9.0}
    assert case["holds"] is holds
    assert ("holds" if holds else "MISSED") in told[0]


def test_contenders_alternate_in_rotating_order() -> None:
    made, calls = subject("lower", None)
    run_subject(made, 5, tell=lambda line: None)
    rounds = [tuple(calls[at : at + 2]) for at in range(2, len(calls), 2)]
    assert rounds == [("ours", "peer"), ("peer", "ours")] * 2 + [("ours", "peer")]


def test_a_bar_against_a_missing_peer_is_not_judged() -> None:
    made, _ = subject("lower", Bar("gone", 1.0, 2.0), ("gone",))
    assert run_subject(made, 5, tell=lambda line: None)["cases"][0]["holds"] is None


def test_a_bar_against_nobody_is_an_error() -> None:
    made, _ = subject("lower", Bar("typo", 1.0, 2.0))
    with pytest.raises(ValueError, match="its bar is against 'typo', not a peer"):
        run_subject(made, 5)


def test_too_few_rounds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    made, _ = subject("lower", None)
    with pytest.raises(ValueError, match="4 rounds are too few"):
        run_subject(made, 4)
    with pytest.raises(SystemExit):
        main(["cache", "--rounds", "4"])
    assert "expected at least 5" in capsys.readouterr().err


def test_only_the_cases_asked_for_run() -> None:
    made, calls = subject("lower", None)
    assert run_subject(made, 5, tell=lambda line: None, only="no such")["cases"] == []
    assert calls == []
    assert len(run_subject(made, 5, tell=lambda line: None, only="c")["cases"]) == 1


def test_the_record_is_written_in_the_form_of_the_contract(tmp_path: Path) -> None:
    made, _ = subject("lower", None)
    record = run_subject(made, 5, tell=lambda line: None)
    file = write(record, tmp_path / "bench")
    assert file.name == "s.json"
    assert set(json.loads(file.read_text())) == {
        "subject", "revision", "date", "machine", "rounds", "cases",
    }  # fmt: skip


def test_subjects_are_named_like_their_files() -> None:
    assert {"cache", "text"} <= set(known())
    for name in ("cache", "text"):
        assert load(name).name == name


def test_per_operation_counts_operations() -> None:
    done: list[int] = []
    assert per_operation(lambda: done.append(1), 10, repeat=3) > 0
    assert len(done) == 3


def test_a_page_keeps_the_sections_of_subjects_that_were_not_run(tmp_path: Path) -> None:
    record = run_subject(subject("lower", Bar("peer", 1.0, 2.0))[0], 5, tell=lambda _: None)
    page = tmp_path / "page.md"
    write(record, tmp_path / "first")
    write(record | {"subject": "two"}, tmp_path / "first")
    assert report.main([str(tmp_path / "first"), str(page)]) == 0
    before = page.read_text()
    write(record | {"subject": "two", "date": "2031-01-01"}, tmp_path / "second")
    assert report.main([str(tmp_path / "second"), str(page)]) == 0
    after = page.read_text()
    assert "2031-01-01" in after
    assert after.replace("2031-01-01", record["date"]) == before
