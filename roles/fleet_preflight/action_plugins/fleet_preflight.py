# Apache-2.0 (see LICENSE)
"""Judges the inventory on the control machine before any host is touched; everything that is wrong is said at once.

Three questions: is there a host at all, is every variable with a role's prefix one that a role has, and can each value
that the user set work (type, choice, port range, two listeners on one port of a host)? What cannot be templated yet,
for instance because it needs a host's facts, is left to the role, which checks it again.
"""

from __future__ import annotations

import difflib
import functools
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

try:  # where a value was written; not a public interface, so its absence only makes the message shorter
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

#: How alike two names must be for one to be taken as the other, mistyped.
ALIKE, NEARLY_THE_SAME = 0.6, 0.9
#: Hosts that one line names.
SHOWN = 4


class Known:
    """What the roles of the project and its playbooks understand."""

    def __init__(self, roles_dir, extra):
        self.options = {}  # variable -> its argument spec
        self.defaults = {}  # variable -> the role's default
        self.listeners = []  # roles that listen on a port of the host
        self.roles = []
        for path in sorted(Path(roles_dir).glob("*/meta/argument_specs.yml")):
            role = path.parent.parent.name
            self.roles.append(role)
            for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
                self.options.update(entry.get("options", {}))
            defaults = path.parent.parent / "defaults" / "main.yml"
            if defaults.exists():
                self.defaults.update(yaml.safe_load(defaults.read_text()) or {})
            if role + "_listen_address" in self.options:
                self.listeners.append(role)
        self.names = {*self.options, *self.defaults, *extra}
        self.prefixes = (*(role + "_" for role in self.roles), "deploy_")

    @functools.lru_cache(maxsize=None)
    def meant(self, name):
        """The variable that was probably meant by a name that nobody has, or an empty string if the name is the user's own."""
        ours = name.startswith(self.prefixes)
        close = difflib.get_close_matches(name, self.names, 5, ALIKE if ours else NEARLY_THE_SAME)
        swapped = [other for other in close if sorted(other) == sorted(name)]
        return (swapped + close + ["?" if ours else ""])[0]

    def ports(self, role):
        return [name for name in self.options if name.startswith(role + "_") and name.endswith("_port")]


def origin(value):
    """Where a value stands, as ' in FILE:LINE', if that is known."""
    tag = Origin.get_tag(value) if Origin else None
    if tag is None:
        return ""
    if tag.path:
        return " in %s%s" % (tag.path, ":%d" % tag.line_num if tag.line_num else "")
    return " in %s" % tag.description if tag.description else ""


def misfit(name, value, spec):
    """Why a value cannot be, as the end of a sentence; None if it can."""
    wanted = spec.get("type", "str")
    if ArgumentSpecValidator({name: {**spec, "required": False}}).validate({name: value}).error_messages:
        choices = ", one of %s" % ", ".join(map(str, spec["choices"])) if spec.get("choices") else ""
        return "expected %s%s" % (wanted, choices)
    if name.endswith("_port") and wanted == "int" and not 1 <= int(value) <= 65535:
        return "a port is from 1 to 65535"
    return None


class ActionModule(ActionBase):
    """Arguments: fleet, more_groups, roles_dir, playbook_variables (a folder), known (names)."""

    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = self._task.args
        sources = ", ".join(map(str, task_vars.get("ansible_inventory_sources") or ["?"]))
        groups = task_vars["groups"]
        if not groups.get(arguments["fleet"]):
            result.update(
                failed=True,
                msg="The inventory %s has no host in the group %s: name at least one there, as inventory/example/hosts.yml does."
                % (sources, arguments["fleet"]),
            )
            return result
        written = {}
        for path in sorted(Path(arguments["playbook_variables"]).glob("*.yml")):
            written.update(yaml.safe_load(path.read_text()) or {})
        known = Known(arguments["roles_dir"], {*written, *arguments["known"]})
        members = {group: set(groups.get(group, [])) for group in (arguments["fleet"], *arguments["more_groups"])}
        problems = {}
        for host in sorted(set.union(*members.values()) & set(task_vars["ansible_play_hosts_all"])):
            for problem in self.judge(host, members, known, written, task_vars["hostvars"]):
                problems.setdefault(problem, []).append(host)
        result["changed"] = False
        if problems:
            lines = ["%s (%s)" % (text, self.hosts(hosts)) for text, hosts in problems.items()]
            result.update(failed=True, msg="The inventory cannot be deployed; nothing was touched.\n%s" % "\n".join(lines))
        return result

    @staticmethod
    def hosts(names):
        more = len(names) - SHOWN
        return ", ".join(names[:SHOWN]) + (" and %d more" % more if more > 0 else "")

    def judge(self, host, members, known, written, hostvars):
        """Yields what is wrong with a host's variables, one sentence each."""
        raw, values = hostvars.raw_get(host), hostvars[host]
        effective = dict(known.defaults)
        allowed = values.get("fleet_preflight_allow", [])  # of the host: this task may run in the name of another
        allowed = allowed.split(",") if isinstance(allowed, str) else allowed
        for name in sorted(set(raw).difference(allowed)):
            if name not in known.names:
                if meant := known.meant(name):
                    yield self.unknown(name, meant, origin(raw[name]))
            elif name in known.options and raw[name] != written.get(name):
                try:
                    effective[name] = value = values[name]
                except AnsibleError:
                    continue
                if why := misfit(name, value, known.options[name]):
                    shown = "not printed here" if known.options[name].get("no_log") else repr(value)
                    yield "%s is %s%s: %s." % (name, shown, origin(raw[name]), why)
        yield from self.collisions(host, members, known, effective)

    @staticmethod
    def unknown(name, meant, where):
        advice = "did you mean %s?" % meant if meant != "?" else "no role has a variable like it;"
        return "%s%s is no variable of this project: %s If it is meant, list it in fleet_preflight_allow." % (name, where, advice)

    @staticmethod
    def collisions(host, members, known, effective):
        taken = {}
        for role in known.listeners:
            if role in members and host not in members[role]:
                continue
            for name in known.ports(role):
                taken.setdefault(effective.get(name), []).append(name)
        for port, names in taken.items():
            if len(names) > 1:
                yield "%s are the same, %s: give each a port of its own." % (" and ".join(names), port)
