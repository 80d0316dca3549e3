"""Strict reading of a YAML document: every mistake is noted with its key, and reading goes on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from lamplighter_firmware_sim.errors import Problem

_REQUIRED: Final = object()


@dataclass(slots=True)
class Report:
    """The mistakes found so far in one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, key: str, value: object, expected: str) -> None:
        """Note one mistake."""
        self.problems.append(Problem(self.file, key, value, expected))


class Section:
    """One mapping of the document; it is asked for its keys by name, and what nobody asked for is a mistake."""

    def __init__(self, content: object, key: str, report: Report) -> None:
        """Wrap `content`; a non-mapping is a mistake at `key`."""
        self._key, self._report = key, report
        self._asked: set[str] = set()
        self._content: dict[Any, Any] = {}
        if isinstance(content, dict):
            self._content = content
        else:
            report.add(key or "document", content, "a mapping")
            self._report = Report(report.file)  # what would be missing in it is no mistake of its own

    def __contains__(self, name: str) -> bool:
        """Whether the key is written in the file."""
        return name in self._content

    def path(self, name: str) -> str:
        """The full key of `name`, as a person finds it in the file."""
        return f"{self._key}.{name}" if self._key else name

    def wrong(self, name: str, expected: str) -> None:
        """Note that the value of `name` is not what was expected."""
        self._report.add(self.path(name), self._content.get(name), expected)

    def _take(self, name: str, default: Any, expected: str) -> Any:
        self._asked.add(name)
        if name in self._content:
            return self._content[name]
        if default is _REQUIRED:
            self._report.add(self.path(name), None, expected)
            return None
        return default

    def number(self, name: str, low: float, high: float, default: Any = _REQUIRED) -> float:
        """A number from `low` to `high`, both allowed."""
        expected = f"a number from {low:g} to {high:g}"
        value = self._take(name, default, expected)
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        if name in self._content:
            self.wrong(name, expected)
        return low

    def integer(self, name: str, low: int, high: int, default: Any = _REQUIRED) -> int:
        """A whole number from `low` to `high`, both allowed."""
        expected = f"a whole number from {low} to {high}"
        value = self._take(name, default, expected)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        if name in self._content:
            self.wrong(name, expected)
        return low

    def text(self, name: str, default: Any = _REQUIRED, *, pattern: str = r".{1,80}", meaning: str = "a text") -> str:
        """A text that matches `pattern` as a whole."""
        value = self._take(name, default, meaning)
        if isinstance(value, str) and (value == default or re.fullmatch(pattern, value)):
            return value
        if name in self._content:
            self.wrong(name, meaning)
        return ""

    def word(self, name: str, choices: tuple[str, ...], default: Any = _REQUIRED) -> str:
        """One of `choices`."""
        expected = f"one of {', '.join(choices)}"
        value = self._take(name, default, expected)
        if isinstance(value, str) and value in choices:
            return value
        if name in self._content:
            self.wrong(name, expected)
        return choices[0]

    def section(self, name: str, *, required: bool = True) -> "Section":
        """The mapping at `name`; an absent optional one reads as empty."""
        self._asked.add(name)
        return Section(self._content.get(name, None if required else {}), self.path(name), self._report)

    def sections(self, name: str, most: int, *, least: int = 0) -> Iterator["Section"]:
        """The mappings listed at `name`, `least` to `most` of them."""
        expected = f"a list of {least} to {most} mappings"
        value = self._take(name, [] if least == 0 else _REQUIRED, expected)
        if value is None and name not in self._content:
            return
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.wrong(name, expected)
            return
        for index, item in enumerate(value):
            yield Section(item, f"{self.path(name)}[{index}]", self._report)

    def close(self) -> None:
        """Note every key that nobody asked for."""
        for name in self._content:
            if name not in self._asked:
                self._report.add(self.path(str(name)), self._content[name], f"one of {', '.join(sorted(self._asked))}")


class _Loader(yaml.SafeLoader):
    """YAML as the format means it: a key stands once in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, report: Report) -> object:
    """The document in `text`; a syntax error is noted with its line."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        report.add(f"line {mark.line + 1}" if mark else "document", getattr(error, "problem", None), "valid YAML")
        return {}
