# Apache-2.0 (see LICENSE)
"""Status and uninstall, run as Ansible runs them: they see the containers of their own journals, whoever else uses the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from ansible.module_utils.container_spec import LABEL_JOURNAL
from ansible.module_utils.service_journal import Journal
from ansible.module_utils.service_ladder import InPlace

ROLES = Path(__file__).resolve().parents[2]
TIMINGS = {"first_success": 20, "hold": 0.2, "poll": 0.1}


def run_module(name, *options, **arguments):
    """What the module answers."""
    folders = os.pathsep.join(str(ROLES / role / "module_utils") for role in ("container_engine", "container_service"))
    here = ["-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=%s" % sys.executable]
    done = subprocess.run(
        ["ansible", "all", *here, "-m", name, "-a", json.dumps(arguments), "-o", *options],
        env={**os.environ, "ANSIBLE_LIBRARY": str(ROLES / "container_service/library"), "ANSIBLE_MODULE_UTILS": folders},
        capture_output=True,
        text=True,
        timeout=120,
    )
    answer = done.stdout[done.stdout.index("{") :] if "{" in done.stdout else "null"
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(answer)


@pytest.fixture
def deployed(engine, test_image, tmp_path):
    """A running service of its own journal folder; returns the folder and the container's name."""
    name = "actest-status-%s" % uuid.uuid4().hex[:8]
    folder = tmp_path / "journal"
    check = {"test": ["CMD", "/bin/sh", "-c", "exit 0"], "interval": 1, "retries": 2, "start_period": 0}
    spec = {"image": test_image, "command": ["busybox", "sleep", "300"], "flavor": "native", "healthcheck": check, "stop_timeout": 1}
    journal = Journal(str(folder), "demo")
    InPlace(engine, "demo", "r1", {"tmpfs": ["/tmp"]}, [spec], TIMINGS, journal).run(name)
    yield folder, name
    engine.remove(name)


def test_a_service_is_listed_for_its_own_journals_alone(deployed, engine, tmp_path):
    folder, name = deployed
    assert engine.inspect(name)["Config"]["Labels"][LABEL_JOURNAL] == str(folder)
    (service,) = run_module("container_status", journal_dir=str(folder))["services"]
    assert (service["service"], service["container"], service["drift"]) == ("demo", name, "")
    assert run_module("container_status", journal_dir=str(tmp_path / "another"))["services"] == []


def test_uninstall_leaves_the_containers_of_another_appliance(deployed, tmp_path):
    folder, name = deployed
    others = run_module("container_uninstall", "--check", journal_dir=str(tmp_path / "another"))["removed"]
    assert "container %s" % name not in others
    assert "container %s" % name in run_module("container_uninstall", "--check", journal_dir=str(folder))["removed"]
