# Apache-2.0 (see LICENSE)
"""A service as data: from the role's description of a container to the engine's create call, and the hash that tells drift."""

from __future__ import annotations

import hashlib
import json

LABEL_SERVICE = "io.agentcore.service"
LABEL_FLAVOR = "io.agentcore.flavor"
LABEL_SPEC = "io.agentcore.spec"
LABEL_RELEASE = "io.agentcore.release"
LABEL_JOURNAL = "io.agentcore.journal"

_SECOND = 1_000_000_000  # the engine's durations are in nanoseconds


def merge(common, candidate):
    """The description of one candidate: `common` with the candidate's own values over it."""
    spec = dict(common)
    for key, value in candidate.items():
        if key == "labels":
            spec["labels"] = dict(common.get("labels") or {}, **(value or {}))
        elif value is not None:
            spec[key] = value
    return spec


def belongs(summary, journal_dir):
    """Whether a service's container is of the appliance whose journals live in `journal_dir`: another one, or its tests, may
    share the engine. A container that does not say was started before they did, and is ours."""
    return summary["Labels"].get(LABEL_JOURNAL, journal_dir) == journal_dir


def spec_hash(spec, image_id):
    """A hash over all that the container is made of. The release's name is left out: an unchanged service is not restarted
    because another service of the release has changed."""
    body = create_body(spec, image_id, service="", release="")
    body["config_hash"] = spec.get("config_hash") or ""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode("utf-8")).hexdigest()[:16]


def root_is_shared(mountinfo="/proc/self/mountinfo"):
    """Whether mounts made later on this host propagate from `/` (proc(5), the optional fields of mountinfo)."""
    try:
        with open(mountinfo) as file:
            for line in file:
                fields = line.split()
                if fields[4] == "/":
                    return any(field.startswith(("shared:", "master:")) for field in fields[6 : fields.index("-")])
    except (OSError, ValueError, IndexError):
        pass
    return False


def bind_as_possible(bind):
    """Drops `rslave` where the host's root is private: the engine refuses such a container instead of making do."""
    source, _colon, rest = bind.partition(":")
    if source == "/" and not root_is_shared():
        target, colon, options = rest.rpartition(":")
        if colon:
            kept = [option for option in options.split(",") if option != "rslave"]
            return "%s:%s:%s" % (source, target, ",".join(kept))
    return bind


def create_body(spec, image_id, service, release):
    """The engine's create call for `spec`. Closed by default: no capability, read-only root, no new privileges."""
    labels = {str(key): str(value) for key, value in (spec.get("labels") or {}).items()}
    labels[LABEL_SERVICE] = service
    labels[LABEL_FLAVOR] = spec.get("flavor") or ""
    labels[LABEL_RELEASE] = release
    check = spec.get("healthcheck") or {}
    health = None
    if check:
        health = {
            "Test": list(check["test"]),
            "Interval": int(float(check.get("interval", 2)) * _SECOND),
            "Timeout": int(float(check.get("timeout", 3)) * _SECOND),
            "Retries": int(check.get("retries", 3)),
            "StartPeriod": int(float(check.get("start_period", 30)) * _SECOND),
        }
    memory = int(spec.get("memory_bytes") or 0)
    body = {
        "Image": image_id,
        "Env": ["%s=%s" % (key, value) for key, value in sorted((spec.get("env") or {}).items())],
        "Labels": labels,
        "User": str(spec.get("user") or ""),
        "HostConfig": {
            "Binds": [bind_as_possible(bind) for bind in spec.get("volumes") or []],
            "NetworkMode": spec.get("network") or "none",
            "RestartPolicy": {"Name": spec.get("restart") or "unless-stopped"},
            "ReadonlyRootfs": bool(spec.get("read_only", True)),
            "CapDrop": ["ALL"],
            "CapAdd": list(spec.get("capabilities") or []),
            "SecurityOpt": ["no-new-privileges"],
            "Tmpfs": {path: "rw,noexec,nosuid,nodev,size=64m,mode=1777" for path in spec.get("tmpfs", ["/tmp"])},
            "GroupAdd": [str(group) for group in spec.get("groups") or []],
            "Memory": memory,
            "MemorySwap": memory,
            "PidsLimit": int(spec.get("pids_limit") or 256),
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
            "Init": bool(spec.get("init", False)),
        },
        "StopTimeout": int(spec.get("stop_timeout") or 15),
    }
    if spec.get("entrypoint"):
        body["Entrypoint"] = list(spec["entrypoint"])
    if spec.get("command") is not None:
        body["Cmd"] = [str(word) for word in spec["command"]]
    if health:
        body["Healthcheck"] = health
    return body
