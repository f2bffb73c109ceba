"""Reads a source tree into memory within bounds, and says what it left out and why."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from agentcore.agents.inputs import MAX_FILE_CHARS, MAX_FILES, MAX_TOTAL_CHARS
from agentcore.errors import InputError

__all__ = ["Tree", "read_tree"]

SKIPPED_FOLDERS = frozenset(
    ".git .hg .svn .venv venv node_modules __pycache__ .mypy_cache .ruff_cache .pytest_cache"
    " .tox .nox target dist .eggs".split()
)


@dataclass
class Tree:
    """The text files of a tree.

    Attributes:
        files: (path relative to the root with /, content), sorted by path.
        skipped: what was left out, with the reason, one line each.
    """

    files: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def read_tree(root: Path) -> Tree:
    """Read the text files under ``root``, or ``root`` itself if it is a file.

    Links are not followed. Binary files (a NUL byte or no UTF-8) and folders of caches,
    dependencies and build results are left out.

    Raises:
        InputError: there is no such path, it can't be read, or it holds too much.
    """
    if not root.exists():
        raise InputError("no such file or folder", str(root), "a path that exists")
    tree = Tree()
    total = 0
    for path in [root] if root.is_file() else _walk(root, tree):
        name = path.name if root.is_file() else path.relative_to(root).as_posix()
        try:
            if path.stat().st_size > MAX_FILE_CHARS:
                tree.skipped.append(f"{name}: larger than {MAX_FILE_CHARS} bytes")
                continue
            content = path.read_bytes()
            text = content.decode("utf-8")
        except OSError as error:
            tree.skipped.append(f"{name}: {error.strerror}")
            continue
        except UnicodeDecodeError:
            continue  # binary, or a coding that no rule of ours could read
        if "\0" in text:
            continue
        total += len(text)
        if len(tree.files) >= MAX_FILES or total > MAX_TOTAL_CHARS:
            raise InputError(
                "too much to read at once",
                str(root),
                f"at most {MAX_FILES} text files and {MAX_TOTAL_CHARS} characters: name a part",
            )
        tree.files.append((name, text))
    if not tree.files:
        raise InputError("no text file in it", str(root), "a source tree")
    return tree


def _walk(root: Path, tree: Tree) -> list[Path]:
    def failed(error: OSError) -> None:
        tree.skipped.append(f"{error.filename}: {error.strerror}")

    found = []
    for folder, folders, names in os.walk(root, onerror=failed):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                found.append(path)
    return sorted(found)
