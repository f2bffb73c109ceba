"""Adds the ``*.prom`` files of a folder to the page, as node_exporter's textfile collector does.

A file that can't be read, isn't well formed or repeats a name is left out as a whole, and
``node_textfile_scrape_error`` is 1.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agentcore.performance.host import Host
from agentcore.performance.page import Page, scaled
from agentcore.performance.promtext import Family, PromTextError, parse

# A release record is a few lines; more than this isn't meant for a scrape.
_MAX_BYTES = 4 * 1024 * 1024


class Collector:
    """Text files."""

    name = "textfile"

    def collect(self, host: Host, page: Page) -> None:
        """Write the files' families, their times of change and whether all was well."""
        merged: dict[str, Family] = {}
        times: list[tuple[str, int]] = []
        files, failed = _files(host.textfile_directory, page)
        for file in files:
            try:
                families, nanos = _read(host, file)
                _merge(merged, families, page)
            except PromTextError as error:
                failed = True
                page.warn(f"{file}: {error}")
            except OSError as error:
                failed = True
                page.warn(f"{file}: {error.strerror}")
            else:
                times.append((file, nanos))
        for name, family in sorted(merged.items()):
            help_text = "Metric read from a text file." if family.help is None else family.help
            page.parts.append(f"# HELP {name} {help_text}\n# TYPE {name} {family.kind}\n")
            page.parts += [line for _, line in family.samples]
        if times:
            page.family(
                "node_textfile_mtime_seconds",
                "Unixtime mtime of textfiles successfully read.",
                "gauge",
            )
            for file, nanos in times:
                page.sample({"file": file}, scaled(nanos, 9))
        page.single(
            "node_textfile_scrape_error",
            "1 if there was an error opening or reading a file, 0 otherwise",
            "gauge",
            int(failed),
        )


def _files(directory: str | None, page: Page) -> tuple[list[str], bool]:
    if directory is None:
        return [], False
    try:
        names = os.listdir(directory)  # noqa: PTH208  # Path.iterdir's errors come late
    except OSError as error:
        page.warn(f"{directory}: {error.strerror}")
        return [], True
    wanted = sorted(name for name in names if Path(name).suffix == ".prom")
    return [os.path.join(directory, name) for name in wanted], False  # noqa: PTH118


def _read(host: Host, file: str) -> tuple[dict[str, Family], int]:
    found = Path(file).stat()
    if not stat.S_ISREG(found.st_mode):
        raise PromTextError("not a regular file")  # a pipe would wait for its writer
    if found.st_size > _MAX_BYTES:
        raise PromTextError(f"has {found.st_size} bytes; at most {_MAX_BYTES}")
    try:
        text = Path(file).read_bytes().decode()
    except UnicodeDecodeError:
        raise PromTextError("not UTF-8") from None
    nanos = host.recording[0] * 1000 if host.recording else max(found.st_mtime_ns, 0)
    return parse(text), nanos


def _merge(merged: dict[str, Family], families: dict[str, Family], page: Page) -> None:
    """Add a file's families, all or none."""
    for name, family in sorted(families.items()):
        if page.has_family(name) or name.startswith("node_textfile_"):
            raise PromTextError(f"{name} is the name of a metric of this agent")
        before = merged.get(name)
        if before is None:
            continue
        if before.kind != family.kind:
            both = f"{before.kind} in another file and a {family.kind}"
            raise PromTextError(f"{name} is a {both} here")
        keys = {key for key, _ in before.samples}
        for key, _ in family.samples:
            if key in keys:
                raise PromTextError(f"{key} is in another file too")
    for name, family in families.items():
        target = merged.setdefault(name, Family())
        target.declared = target.declared or family.declared
        target.help = family.help if target.help is None else target.help
        target.samples += family.samples
