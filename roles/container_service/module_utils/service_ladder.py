# Apache-2.0 (see LICENSE)
"""The ladder of one service on one host: try the candidates in order behind the gate; keep what served until one passes.

Two movements share it. *In place*: the service has one address, so the old container is stopped and kept aside while the
candidate is gated. *Slots*: the service stands behind the edge, so the candidate is gated beside the running one, and only
then do requests move. Both are written so that a kill at any point leaves something that the next run puts right.
"""

from __future__ import annotations

import time

from ansible.module_utils import container_spec, health_gate
from ansible.module_utils.docker_engine import EngineError
from ansible.module_utils.edge_runtime import EdgeError

UNCHANGED, DEPLOYED, FALLBACK, RESTORED, FAILED = "unchanged", "deployed", "fallback", "restored", "failed"


class Ladder:
    """What both movements need: the engine, the candidates, the journal, and what was seen on the way."""

    def __init__(self, engine, service, release, common, candidates, gate_timings, journal):
        self.engine = engine
        self.service = service
        self.release = release
        self.gate_timings = gate_timings
        self.journal = journal
        self.incidents = []
        self.steps = []
        self.candidates = [container_spec.merge(common, candidate) for candidate in candidates]

    # --- facts

    def image_id(self, spec):
        """The id of the candidate's image on this host. Nothing is pulled: an image that is absent is an error."""
        record = self.engine.image(spec["image"])
        if record is None:
            raise EngineError("image %s is not on this host; ship it first (role image_ship)" % spec["image"])
        return record["Id"]

    def running_as(self, name, spec):
        """Whether the container `name` runs exactly `spec`; its health is another question."""
        record = self.engine.inspect(name)
        if record is None or not record["State"]["Running"]:
            return False
        wanted = container_spec.spec_hash(spec, self.image_id(spec))
        return record["Config"]["Labels"].get(container_spec.LABEL_SPEC) == wanted

    def healthy(self, name):
        record = self.engine.inspect(name)
        if record is None or not record["State"]["Running"]:
            return False
        return (record["State"].get("Health") or {}).get("Status") == "healthy"

    def generation(self, name, spec, image_id):
        """What the journal holds of `spec` running as the container `name`."""
        return {
            "release": self.release,
            "flavor": spec.get("flavor") or "",
            "image": spec["image"],
            "image_id": image_id,
            "spec": spec,
            "spec_hash": container_spec.spec_hash(spec, image_id),
            "container": name,
        }

    # --- movements

    def start(self, name, spec):
        """Creates and starts `name` as `spec` says. Answers the generation that the journal will hold."""
        image_id = self.image_id(spec)
        body = container_spec.create_body(spec, image_id, self.service, self.release)
        body["Labels"][container_spec.LABEL_JOURNAL] = self.journal.directory
        body["Labels"][container_spec.LABEL_SPEC] = container_spec.spec_hash(spec, image_id)
        # Until it has passed, it is not restarted: an exit then shows with its code, and its log is of one life.
        body["HostConfig"]["RestartPolicy"] = {"Name": "no"}
        self.engine.create(name, body)
        self.engine.start(name)
        return self.generation(name, spec, image_id)

    def attempt(self, name, spec, step):
        """Starts and gates one candidate. Answers its generation, or None after the evidence is kept and it is removed."""
        began = time.monotonic()
        try:
            generation = self.start(name, spec)
            passed = health_gate.gate(self.engine, name, spec.get("expect"), self.gate_timings)
            self.engine.update_restart_policy(name, spec.get("restart") or "unless-stopped")
        except (health_gate.GateFailure, EngineError) as error:
            self.refuse(name, spec, step, str(error), time.monotonic() - began)
            return None
        self.steps.append({"step": step, "flavor": generation["flavor"], "outcome": "passed", "gate": passed})
        return generation

    def refuse(self, name, spec, step, reason, seconds):
        """Keeps the evidence of a failure, then clears the place."""
        evidence = health_gate.evidence(self.engine, name, spec.get("expect"))
        if "exited" in reason:
            reason = health_gate.with_last_words(reason, evidence["log"])
        incident = {
            "service": self.service,
            "container": name,
            "step": step,
            "flavor": spec.get("flavor") or "",
            "image": spec["image"],
            "release": self.release,
            "reason": reason,
            "seconds": round(seconds, 1),
            "evidence": evidence,
        }
        self.incidents.append(incident)
        self.steps.append({"step": step, "flavor": incident["flavor"], "outcome": "refused", "reason": reason})
        self.engine.remove(name)

    def result(self, outcome, generation, changed):
        """The module's answer; the journal is written where something happened."""
        reason = self.incidents[0]["reason"] if self.incidents else ""
        flavor = generation["flavor"] if generation else ""
        if outcome != UNCHANGED:
            self.journal.event(outcome, flavor, self.release, reason)
            self.journal.save()
        return {
            "changed": changed,
            "outcome": outcome,
            "service": self.service,
            "flavor": flavor,
            "release": generation["release"] if generation else "",
            "container": generation["container"] if generation else "",
            "reason": reason,
            "steps": self.steps,
            "incidents": self.incidents,
        }


class InPlace(Ladder):
    """A service with one address: `name` is the container."""

    def recover(self, name, aside):
        """Puts right what a killed run left: a container set aside and nothing, or nothing healthy, in its place."""
        if self.engine.inspect(aside) is None:
            return False
        if self.healthy(name):
            self.engine.remove(aside)
        else:
            self.engine.remove(name)
            self.put_back(name, aside)
        return True

    def put_back(self, name, aside):
        self.engine.rename(aside, name)
        self.engine.update_restart_policy(name, "unless-stopped")
        self.engine.start(name)

    def plan(self, name):
        """What a run would do, in words."""
        if self.running_as(name, self.candidates[0]):
            return UNCHANGED
        return "recreate" if self.engine.inspect(name) else "create"

    def run(self, name):
        aside = name + "-previous"
        recovered = self.recover(name, aside)
        wanted = self.candidates[0]
        if self.running_as(name, wanted):
            current = self.journal.current
            if self.healthy(name) and current and current["container"] == name and not recovered:
                return self.result(UNCHANGED, current, changed=False)
            kept = self.keep(name, wanted)
            if kept:
                return kept
        had_one = self.engine.inspect(name) is not None
        if had_one:
            # The address is free only once the old one has stopped; it stays beside until its successor has passed.
            self.engine.update_restart_policy(name, "no")
            self.engine.stop(name, int(wanted.get("stop_timeout") or 15))
            self.engine.rename(name, aside)
        for step, candidate in enumerate(self.candidates, start=1):
            generation = self.attempt(name, candidate, step)
            if generation:
                self.engine.remove(aside)
                self.journal.good(generation)
                return self.result(DEPLOYED if step == 1 else FALLBACK, generation, changed=True)
        return self.restore(name, aside, had_one)

    def keep(self, name, spec):
        """Gates what already runs as it should but is not known to be good (a run was killed, or it is just starting)."""
        try:
            health_gate.gate(self.engine, name, spec.get("expect"), self.gate_timings)
            self.engine.update_restart_policy(name, spec.get("restart") or "unless-stopped")
        except health_gate.GateFailure:
            return None
        self.journal.good(self.generation(name, spec, self.image_id(spec)))
        return self.result(DEPLOYED, self.journal.current, changed=True)

    def restore(self, name, aside, had_one):
        """No candidate passed: the one that served before comes back, as it was."""
        if not had_one:
            return self.result(FAILED, None, changed=True)
        self.put_back(name, aside)
        try:
            passed = health_gate.gate(self.engine, name, None, dict(self.gate_timings, hold=2))
        except health_gate.GateFailure as failure:
            self.steps.append({"step": "restore", "outcome": "refused", "reason": str(failure)})
            return self.result(FAILED, None, changed=True)
        self.steps.append({"step": "restore", "outcome": "passed", "gate": passed})
        return self.result(RESTORED, self.journal.current, changed=True)


class Slots(Ladder):
    """A service behind the edge, in two slots. `slots` maps a slot's name to its container and its own values."""

    def __init__(self, *arguments, slots, edge, drain_seconds):
        super().__init__(*arguments)
        self.slots = slots
        self.edge = edge
        self.drain_seconds = drain_seconds

    def in_slot(self, spec, slot):
        """The candidate as it stands in `slot`: volumes and target carry the slot's name where `{slot}` is written."""

        def fill(value):
            if isinstance(value, str):
                return value.replace("{slot}", slot)
            if isinstance(value, list):
                return [fill(one) for one in value]
            if isinstance(value, dict):
                return {key: fill(one) for key, one in value.items()}
            return value

        return fill(spec)

    def serving(self):
        """The slot that the edge sends requests to, or None."""
        current = self.journal.current
        names = list(self.slots)
        if current and current.get("slot") in names:
            # Where a kill between switch and drain left both up, the journal decides.
            names.sort(key=lambda name: name != current["slot"])
        for slot in names:
            if self.edge.takes_requests(slot) and self.healthy(self.slots[slot]):
                return slot
        return None

    def plan(self):
        slot = self.serving()
        if slot and self.running_as(self.slots[slot], self.in_slot(self.candidates[0], slot)):
            return UNCHANGED
        return "cutover" if slot else "create"

    def run(self):
        active = self.serving()
        current = self.journal.current
        if active and self.running_as(self.slots[active], self.in_slot(self.candidates[0], active)):
            if current and current.get("slot") == active and self.others_idle(active):
                return self.result(UNCHANGED, current, changed=False)
        idle = next(slot for slot in self.slots if slot != active)
        container = self.slots[idle]
        # Whatever an earlier run left in the idle slot must not get a request before it has passed.
        self.edge.set_state(idle, "maint")
        self.engine.remove(container)
        for step, candidate in enumerate(self.candidates, start=1):
            generation = self.attempt(container, self.in_slot(candidate, idle), step)
            if generation and self.switch(idle, active, candidate, step):
                generation["slot"] = idle
                self.journal.good(generation)
                self.journal.save()
                self.retire(active)
                return self.result(DEPLOYED if step == 1 else FALLBACK, generation, changed=True)
        if active and self.healthy(self.slots[active]):
            return self.result(RESTORED, current, changed=True)
        return self.result(FAILED, None, changed=True)

    def others_idle(self, active):
        return all(slot == active or not self.healthy(container) for slot, container in self.slots.items())

    def switch(self, idle, active, candidate, step):
        """Sends new requests to `idle`. The old slot still answers what it has begun."""
        try:
            self.edge.set_state(idle, "ready")
            self.edge.wait_up(idle, 10)
            if active:
                self.edge.set_state(active, "drain")
        except EdgeError as error:
            self.refuse(self.slots[idle], self.in_slot(candidate, idle), step, str(error), 0)
            self.edge.set_state(idle, "maint")
            return False
        return True

    def retire(self, slot):
        """Drains and stops the old slot; it is kept, stopped, for whoever wants to look."""
        if not slot:
            return
        left = self.edge.wait_idle(slot, self.drain_seconds)
        if left:
            self.steps.append({"step": "drain", "outcome": "cut", "reason": "%d requests left at the deadline" % left})
        self.edge.set_state(slot, "maint")
        self.engine.update_restart_policy(self.slots[slot], "no")
        self.engine.stop(self.slots[slot])
