# Apache-2.0 (see LICENSE)
"""The real check over real inventories: what is wrong is said with its place, what is right passes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def check(tmp_path):
    """Runs preflight.yml over an inventory of two hosts; gives exit status and output with blanks made alike."""

    def run(shared=None, h1=None, *arguments, hosts=("h1", "h2")):
        own = {"h1": h1 or {}}
        (tmp_path / "group_vars").mkdir(exist_ok=True)
        inventory = {
            "agentcore_hosts": {"hosts": {host: own.get(host, {}) for host in hosts}},
            "prometheus": {"hosts": {host: {} for host in hosts[:1]}},
        }
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
        (tmp_path / "group_vars" / "agentcore_hosts.yml").write_text(yaml.safe_dump(shared or {}))
        done = subprocess.run(
            [shutil.which("ansible-playbook"), "-i", tmp_path, "playbooks/preflight.yml", *arguments],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
        )
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


def test_what_users_set_passes(check):
    shared = {"service_address": "10.0.0.1", "edge_proxy_port": 8800, "prometheus_port": "9191", "my_own": 1, "user_port": 0}
    assert check(shared, {"agentcore_gate": {"hold": 3}}, "-e", "deploy_serial=1")[0] == 0


def test_a_fleet_without_hosts_is_refused(check):
    code, said = check(hosts=())
    assert code == 2
    assert "has no host in the group agentcore_hosts: name at least one" in said


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("edge_proxy_prot", "edge_proxy_port"),
        ("edge_prxy_port", "edge_proxy_port"),
        ("deploy_flavour", "deploy_flavor"),
        ("service_adress", "service_address"),
    ],
)
def test_an_unknown_variable_is_refused_with_its_place_and_what_was_meant(check, tmp_path, name, meant):
    code, said = check({name: 1})
    assert code == 2
    place = "%s in %s/group_vars/agentcore_hosts.yml:1 is no variable" % (name, tmp_path)
    assert place in said
    assert "did you mean %s?" % meant in said
    assert "(h1, h2)" in said
    assert check({name: 1, "fleet_preflight_allow": [name]})[0] == 0


@pytest.mark.parametrize(("value", "why"), [(99999, "from 1 to 65535"), (0, "from 1 to 65535"), ("http", "expected int")])
def test_a_port_that_is_none_is_refused(check, value, why):
    code, said = check(None, {"monitor_agent_port": value})
    assert code == 2
    assert "monitor_agent_port is %r" % value in said
    assert why in said
    assert "(h1)" in said


def test_two_listeners_on_one_port_are_refused_where_both_are(check):
    code, said = check({"edge_proxy_port": 9090})
    assert code == 2
    assert "edge_proxy_port and prometheus_port are the same, 9090" in said
    assert "(h1)" in said, "Prometheus is on h1 alone"


def test_every_problem_is_told_at_once(check):
    code, said = check({"edge_proxy_port": 0, "agentcore_drain_seconds": "soon"}, {"edge_proxy_prot": 1})
    assert code == 2
    assert all(name in said for name in ("edge_proxy_port is 0", "agentcore_drain_seconds is 'soon'", "edge_proxy_prot"))


def test_a_limit_judges_what_it_names(check):
    assert check(None, {"edge_proxy_prot": 1}, "--limit", "h2")[0] == 0
    assert check(None, {"edge_proxy_prot": 1}, "--limit", "h1")[0] == 2
