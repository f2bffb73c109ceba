# Apache-2.0 (see LICENSE)
"""The ladder in place, against real containers: down the candidates, back to what served, and never nothing."""

from __future__ import annotations

import uuid

import pytest
from ansible.module_utils.container_spec import LABEL_SPEC, bind_as_possible, root_is_shared
from ansible.module_utils.docker_engine import EngineError
from ansible.module_utils.service_journal import Journal, write_metrics
from ansible.module_utils.service_ladder import InPlace

TIMINGS = {"first_success": 6, "hold": 1, "poll": 0.2}
HEALTH = {"test": ["CMD", "/bin/sh", "-c", "exit 0"], "interval": 1, "retries": 2, "start_period": 0}


def candidate(image, line, flavor, **more):
    return dict({"image": image, "command": ["/bin/sh", "-c", line], "flavor": flavor, "healthcheck": HEALTH, "stop_timeout": 1}, **more)


@pytest.fixture
def service(engine, test_image, tmp_path):
    """deploy(release, *candidates) of one service name; whatever it leaves is removed."""
    name = "actest-ladder-%s" % uuid.uuid4().hex[:8]

    class Service:
        container = name
        journals = tmp_path / "journal"

        def ladder(self, release, *candidates):
            journal = Journal(str(self.journals), "demo")
            return InPlace(engine, "demo", release, {"tmpfs": ["/tmp"]}, list(candidates), TIMINGS, journal)

        def deploy(self, release, *candidates):
            return self.ladder(release, *candidates).run(name)

        def record(self):
            return engine.inspect(name)

    yield Service()
    for left in (name, name + "-previous"):
        engine.remove(left)


def good(image, marker="one"):
    return candidate(image, "echo %s; exec busybox sleep 300" % marker, "native")


def bad(image):
    return candidate(image, "echo broken; exit 9", "native")


def fallback(image, marker="python"):
    return candidate(image, "echo %s; exec busybox sleep 300" % marker, "python")


def test_a_second_run_changes_nothing(service, test_image):
    first = service.deploy("r1", good(test_image))
    started = service.record()["State"]["StartedAt"]
    second = service.deploy("r1", good(test_image))
    assert (first["outcome"], second["outcome"], second["changed"]) == ("deployed", "unchanged", False)
    assert service.record()["State"]["StartedAt"] == started


def test_another_release_with_the_same_content_is_no_restart(service, test_image):
    service.deploy("r1", good(test_image))
    assert service.deploy("r2", good(test_image))["outcome"] == "unchanged"


def test_a_candidate_that_fails_gives_way_to_the_next_and_leaves_evidence(service, test_image):
    result = service.deploy("r1", bad(test_image), fallback(test_image))
    assert (result["outcome"], result["flavor"]) == ("fallback", "python")
    assert result["reason"] == "it exited with code 9; its last words: broken"
    assert "broken" in result["incidents"][0]["evidence"]["log"]


def test_where_none_passes_the_one_that_served_comes_back_as_it_was(service, test_image):
    service.deploy("r1", good(test_image))
    spec = service.record()["Config"]["Labels"][LABEL_SPEC]
    result = service.deploy("r2", bad(test_image), bad(test_image))
    assert (result["outcome"], result["release"]) == ("restored", "r1")
    assert service.record()["Config"]["Labels"][LABEL_SPEC] == spec
    assert service.record()["State"]["Running"]
    assert len(result["incidents"]) == 2


def test_where_none_passes_and_none_served_it_is_failed(service, test_image):
    assert service.deploy("r1", bad(test_image))["outcome"] == "failed"
    assert service.record() is None


def test_a_killed_run_is_put_right_by_the_next(service, test_image, engine):
    service.deploy("r1", good(test_image))
    engine.stop(service.container, 1)
    engine.rename(service.container, service.container + "-previous")
    assert service.deploy("r1", good(test_image))["outcome"] in ("deployed", "unchanged")
    assert service.record()["State"]["Running"]
    assert engine.inspect(service.container + "-previous") is None


def test_a_stopped_container_is_deployed_again(service, test_image, engine):
    service.deploy("r1", good(test_image))
    engine.stop(service.container, 1)
    assert service.deploy("r1", good(test_image))["outcome"] == "deployed"


def test_an_image_that_is_not_there_is_refused_and_the_old_one_serves_on(service, test_image):
    service.deploy("r1", good(test_image))
    with pytest.raises(EngineError, match="not on this host"):
        service.deploy("r2", good("actest/absent:1"))
    assert service.record()["State"]["Running"]


def test_the_journal_keeps_three_generations_and_counts_rollbacks(service, test_image, tmp_path):
    for number in range(4):
        service.deploy("r%d" % number, good(test_image, "v%d" % number))
    service.deploy("r9", bad(test_image), fallback(test_image))
    journal = Journal(str(service.journals), "demo")
    assert [one["release"] for one in journal.record["good"]] == ["r9", "r3", "r2"]
    assert journal.record["rollbacks"] == 1
    textfile = tmp_path / "textfile"
    write_metrics(str(service.journals), str(textfile))
    text = (textfile / "agentcore_release.prom").read_text()
    assert 'agentcore_release_info{service="demo",release="r9",flavor="python"} 1' in text
    assert 'agentcore_rollbacks_total{service="demo"} 1' in text


def test_a_damaged_journal_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(ValueError, match="move it away"):
        Journal(str(tmp_path), "demo")


def test_propagation_is_asked_for_only_where_the_root_is_shared(tmp_path):
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text("1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda rw\n")
    assert root_is_shared(str(mountinfo))
    mountinfo.write_text("1 0 8:1 / / rw,relatime - ext4 /dev/sda rw\n")
    assert not root_is_shared(str(mountinfo))
    assert bind_as_possible("/proc:/host/proc:ro") == "/proc:/host/proc:ro"
