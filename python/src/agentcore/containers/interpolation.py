"""Puts variables into the texts of a template, as the Compose specification writes them.

``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME-default}``, ``${NAME:?message}``,
``${NAME?message}``, ``${NAME:+other}``, ``${NAME+other}`` and ``$$`` for a dollar sign; defaults
may hold variables themselves. Unlike Compose, a variable that is not set and has no default is
refused: an empty password is not what anybody meant.
Runs after the YAML is read, so no value can change the structure of a template.
"""

from __future__ import annotations

import re
from typing import Any

from agentcore.containers.contract import TemplateError
from agentcore.containers.values import child, show

__all__ = ["interpolate", "interpolate_tree"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.A)
_OPERATOR = re.compile(r":[-?+]|[-?+]")
_MAX_DEPTH = 8
_MAX_RESULT = 65_536
_FORMS = "expected $NAME, ${NAME}, ${NAME:-default}, ${NAME:?message} or $$ for a dollar sign"


class _Refused(Exception):  # noqa: N818  (an answer on its way up, never an error of the caller)
    """Carries a problem without its path."""


def interpolate(text: str, variables: dict[str, str]) -> str:
    """Replace the variables in one text.

    Args:
        text: any text.
        variables: name to value.

    Raises:
        TemplateError: a variable is not set, or a dollar sign starts nothing known.
    """
    try:
        return _expanded(text, variables)
    except _Refused as refused:
        raise TemplateError([f"text: {refused}"]) from None


def interpolate_tree(node: Any, variables: dict[str, str], path: str, problems: list[str]) -> Any:
    """Replace the variables in every text value of a tree; keys are left alone."""
    if isinstance(node, str):
        try:
            value = _expanded(node, variables)
        except _Refused as refused:
            problems.append(f"{path}: {refused}")
            return ""
        if "\0" in value:
            problems.append(f"{path}: a NUL character; expected text without it")
        return value
    if isinstance(node, list):
        return [
            interpolate_tree(item, variables, f"{path}[{index}]", problems)
            for index, item in enumerate(node)
        ]
    if isinstance(node, dict):
        problems.extend(
            f"{child(path, key)}: a NUL character; expected text without it"
            for key in node
            if "\0" in key
        )
        return {
            key: interpolate_tree(value, variables, child(path, key), problems)
            for key, value in node.items()
        }
    return node


def _expanded(text: str, variables: dict[str, str]) -> str:
    result = _Expansion(text, variables).run(False, True, 0)
    if len(result) > _MAX_RESULT:
        raise _Refused(f"too long with its variables; expected at most {_MAX_RESULT} characters")
    return result


class _Expansion:
    def __init__(self, text: str, variables: dict[str, str]) -> None:
        self.text = text
        self.variables = variables
        self.at = 0

    def run(self, nested: bool, live: bool, depth: int) -> str:
        """Expand up to the end, or up to ``}`` when nested; if not live, only skip."""
        if depth > _MAX_DEPTH:
            raise _Refused(f"variables nested too deep; expected at most {_MAX_DEPTH} levels")
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if nested and char == "}":
                return "".join(out)
            self.at += 1
            out.append(self.variable(live, depth) if char == "$" else char)
        if nested:
            raise self.malformed()
        return "".join(out)

    def variable(self, live: bool, depth: int) -> str:
        if self.text.startswith("$", self.at):
            self.at += 1
            return "$"
        braced = self.text.startswith("{", self.at)
        self.at += braced
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise self.malformed()
        name = match[0]
        self.at = match.end()
        operator = _OPERATOR.match(self.text, self.at) if braced else None
        value = self.variables.get(name)
        if operator is None:
            if braced:
                self.close()
            if value is None and live:
                raise _Refused(
                    f"variable {name} is not set; expected a value or a default, ${{{name}:-…}}"
                )
            return value or ""
        self.at = operator.end()
        usable = value is not None and (value != "" or operator[0][0] != ":")
        kind = operator[0][-1]
        wanted = usable if kind == "+" else not usable
        argument = self.run(True, live and wanted, depth + 1)
        self.close()
        if kind == "+":
            return argument if usable else ""
        if usable:
            return value or ""
        if kind == "?" and live:
            reason = f" ({show(argument)})" if argument else ""
            raise _Refused(f"variable {name} is not set{reason}; expected a value")
        return argument

    def close(self) -> None:
        if not self.text.startswith("}", self.at):
            raise self.malformed()
        self.at += 1

    def malformed(self) -> _Refused:
        return _Refused(f"a dollar sign in {show(self.text)} starts nothing known; {_FORMS}")
