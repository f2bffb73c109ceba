# Apache-2.0 (see LICENSE)
"""What each service of a host runs, ran, and what became of it: one JSON file a service, and the metrics made from them.

The journal is what a rollback reads. It lives on the host, so that a host can be understood (and put back) without the
control machine that deployed it.
"""

from __future__ import annotations

import json
import os
import tempfile
import time

KEEP = 3  # good generations kept for each service


def write_atomically(path, text, mode=0o644):
    """Writes beside and renames: a full disk or a kill leaves the old file whole."""
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".new-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


class Journal:
    """The journal of one service under `directory`."""

    def __init__(self, directory, service):
        self.directory = directory
        self.service = service
        self.path = os.path.join(directory, "%s.json" % service)
        self.record = {"schema": 1, "service": service, "good": [], "rollbacks": 0, "events": []}
        try:
            with open(self.path) as file:
                self.record.update(json.load(file))
        except FileNotFoundError:
            pass
        except ValueError as error:
            raise ValueError("%s is not JSON (%s); move it away to start a new journal" % (self.path, error)) from error

    @property
    def current(self):
        """The generation that runs, as {"release", "flavor", "image_id", "spec", "spec_hash", "slot"}, or None."""
        return self.record["good"][0] if self.record["good"] else None

    def good(self, generation):
        """Notes a generation that passed its gate; the newest comes first."""
        older = [one for one in self.record["good"] if one["spec_hash"] != generation["spec_hash"]]
        self.record["good"] = [generation, *older][:KEEP]

    def event(self, outcome, flavor, release, reason):
        self.record["events"].append(
            {
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "outcome": outcome,
                "flavor": flavor,
                "release": release,
                "reason": reason,
            }
        )
        self.record["events"] = self.record["events"][-50:]
        if outcome in ("fallback", "restored", "failed"):
            self.record["rollbacks"] += 1

    def save(self):
        write_atomically(self.path, json.dumps(self.record, indent=1, sort_keys=True) + "\n")


def write_metrics(journal_directory, textfile_directory):
    """Renders every journal of the host for the textfile collector of the monitor agent."""
    lines = [
        "# HELP agentcore_release_info What each service of this host runs.",
        "# TYPE agentcore_release_info gauge",
    ]
    rollbacks = [
        "# HELP agentcore_rollbacks_total Gates that failed, so that a fallback or the last good release took over.",
        "# TYPE agentcore_rollbacks_total counter",
    ]
    for name in sorted(os.listdir(journal_directory)):
        if not name.endswith(".json") or name.startswith("."):
            continue
        journal = Journal(journal_directory, name[: -len(".json")])
        if journal.current:
            lines.append(
                'agentcore_release_info{service="%s",release="%s",flavor="%s"} 1'
                % (journal.service, journal.current["release"], journal.current["flavor"])
            )
        rollbacks.append('agentcore_rollbacks_total{service="%s"} %d' % (journal.service, journal.record["rollbacks"]))
    write_atomically(os.path.join(textfile_directory, "agentcore_release.prom"), "\n".join(lines + rollbacks) + "\n")
