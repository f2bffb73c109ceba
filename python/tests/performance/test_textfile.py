"""Text files: both implementations accept, refuse and write the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentcore.integration import RustIntegrationManager
from agentcore.performance import FastPerformanceMonitor

COMPONENT = "agent_performance_monitor"
Managers = tuple[RustIntegrationManager, RustIntegrationManager]


def scrape(folder: Path, manager: RustIntegrationManager) -> tuple[str, list[str]]:
    monitor = FastPerformanceMonitor(
        textfile_directory=folder, recording=(1_000_000, {}), manager=manager
    )
    seen = monitor.scrape(["textfile"])
    return seen.text, [failure.reason for failure in seen.failures]


REFUSED = [
    ("a 1\na 2\n", "line 2: a is there twice"),
    ('a{x="1",y="2"} 1\na{y="2",x="1"} 1', 'line 2: a{x="1",y="2"} is there twice'),
    ("a 1 1700000000", "line 1: timestamps are not supported"),
    ("a one", 'line 1: "one" is not a number'),
    ("a", 'line 1: "" is not a number'),
    ("1a 1", "line 1: expected a metric name"),
    ("a{x=1} 1", 'line 1: expected ="…" after the label x'),
    ('a{x="1} 1', "line 1: the label x does not end"),
    ('a{x="\\t"} 1', "line 1: the label x does not end"),
    ('a{x="1" y="2"} 1', "line 1: expected a comma after the label x"),
    ('a{x="1",x="2"} 1', "line 1: the label x is there twice"),
    ("a{,} 1", "line 1: expected a label name"),
    ("# TYPE a foo", 'line 1: unknown type "foo"'),
    ("# TYPE a gauge\n# TYPE a gauge", "line 2: second TYPE line for a"),
    ("a 1\n# TYPE a gauge", "line 2: TYPE line for a after its samples"),
    ("# HELP a x\n# HELP a y", "line 2: second HELP line for a"),
    ("# HELP 1 x", 'line 1: "1" is not a metric name'),
    ("node_textfile_scrape_error 0", "node_textfile_scrape_error is the name of a metric"),
    ("node_exporter_build_info 2", "node_exporter_build_info is the name of a metric"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_bad_file_is_left_out_with_its_reason(
    manager: RustIntegrationManager, tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "bad.prom").write_text(text)
    (tmp_path / "good.prom").write_text("fine 1\n")
    page, failures = scrape(tmp_path, manager)
    assert len(failures) == 1
    assert failures[0].startswith(f"{tmp_path}/bad.prom: {reason}")
    assert "\nnode_textfile_scrape_error 1\n" in page
    assert "\nfine 1\n" in page
    assert f'node_textfile_mtime_seconds{{file="{tmp_path}/good.prom"}} 1\n' in page


def test_files_that_are_no_text_files(manager: RustIntegrationManager, tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_bytes(b"a\xff 1\n")
    os.mkfifo(tmp_path / "b.prom")  # reading it would wait forever
    (tmp_path / "c.prom").mkdir()
    (tmp_path / "d.prom").symlink_to(tmp_path / "nowhere")
    _, failures = scrape(tmp_path, manager)
    assert [failure.removeprefix(str(tmp_path)) for failure in failures] == [
        "/a.prom: not UTF-8",
        "/b.prom: not a regular file",
        "/c.prom: not a regular file",
        "/d.prom: No such file or directory",
    ]
    page, failures = scrape(tmp_path / "missing", manager)
    assert failures == [f"{tmp_path}/missing: No such file or directory"]
    assert "node_textfile_scrape_error 1" in page


def test_files_are_joined_or_contradict(manager: RustIntegrationManager, tmp_path: Path) -> None:
    (tmp_path / "a.prom").write_text('# HELP x One.\n# TYPE x gauge\nx{f="a"} 1\n')
    (tmp_path / "b.prom").write_text('# HELP x Two.\n# TYPE x gauge\nx{f="b"} 2\n')
    (tmp_path / "c.prom").write_text('# TYPE x counter\nx{f="c"} 3\n')
    (tmp_path / "d.prom").write_text('# TYPE x gauge\nx{f="a"} 4\n')
    page, failures = scrape(tmp_path, manager)
    assert '# HELP x One.\n# TYPE x gauge\nx{f="a"} 1\nx{f="b"} 2\n# ' in page
    assert [failure.rpartition("/")[2] for failure in failures] == [
        "c.prom: x is a gauge in another file and a counter here",
        'd.prom: x{f="a"} is in another file too',
    ]


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "# TYPE h histogram",
                "# TYPE h summary",
                "# HELP h \\n é",
                'h_bucket{le="1"} 2',
                "h_sum 1",
                "h_count 1",
                "h 1",
                "",
                "#",
                "# EOF",
                "\ta\t1e-5 ",
                'a{b="\\\\\\"\\n",} +Inf',
                'a { b = "x" , c="}" } NaN',
            ]
        ),
        st.text(st.sampled_from('ab_:1 \t{}=",\\n#.+-eE\u0660é'), max_size=12),
    ),
    max_size=6,
)


@given(lines=LINES)
@settings(max_examples=400, deadline=None)
def test_both_read_alike(
    both: Managers, lines: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "alike"
    folder.mkdir(exist_ok=True)
    (folder / "one.prom").write_text("\n".join(lines))
    python, native = (scrape(folder, manager) for manager in both)
    assert native == python
