"""Containers publish ports on named addresses, not on all of the host's."""

from __future__ import annotations

from agentcore.security.contract import Check, Outcome, failed, passed
from agentcore.security.host.containers import Container, each
from agentcore.security.host.tree import Host

_ALL = {"": "0.0.0.0", "0.0.0.0": "0.0.0.0", "::": "[::]"}  # noqa: S104  # compared, not bound


def _run(host: Host) -> list[Outcome]:
    return each(host, _rule)


def _rule(container: Container) -> Outcome:
    ports = _open_ports(container)
    if ports:
        return failed(container.name, f"publishes {', '.join(ports)}")
    return passed(container.name, "none on all addresses")


def _open_ports(container: Container) -> list[str]:
    """What the engine did (`NetworkSettings.Ports`), or was told to do if it left no trace."""
    settings = container.config.get("NetworkSettings")
    done = settings.get("Ports") if isinstance(settings, dict) else None
    ports = done if isinstance(done, dict) and done else container.host_config.get("PortBindings")
    found: set[str] = set()
    for port, bindings in (ports if isinstance(ports, dict) else {}).items():
        for binding in bindings if isinstance(bindings, list) else []:
            fields = binding if isinstance(binding, dict) else {}
            address, number = (
                value if isinstance(value := fields.get(key), str) else ""
                for key in ("HostIp", "HostPort")
            )
            if address in _ALL:
                found.add(f"{_ALL[address]}:{number} as {port}")
    return sorted(found)


CHECK = Check(
    id="container-published-ports",
    title="containers publish no port on all addresses of the host",
    severity="high",
    reference="CIS Docker 1.6.0 5.14",
    fix="Publish as `-p ADDRESS:PORT:PORT`; Docker's rules go before the host's firewall.",
    run=_run,
)
