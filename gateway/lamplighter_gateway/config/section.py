"""One mapping of a document: hands out checked values and notes everything that is wrong with it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar

from lamplighter_contract.ids import is_id
from lamplighter_gateway.config.problem import Problem, shown

Word = TypeVar("Word", bound=StrEnum)


class Section:
    """Every getter returns a value of the promised type; where the file has none, a problem is noted instead.

    The stand-in that is then returned never reaches anyone: a document with problems is not used.
    """

    def __init__(self, file: str, key: str, tree: object, problems: list[Problem]) -> None:
        """Read `tree`, which stands at `key` of `file`; append to `problems`."""
        self.file = file
        self.key = key
        self.problems = problems
        self._tree: Mapping[Any, Any] = tree if isinstance(tree, dict) else {}
        self._known: set[str] = set()
        if not isinstance(tree, dict):
            problems.append(Problem(file, key, shown(tree), "a mapping of keys to values"))

    def has(self, key: str) -> bool:
        """True if the key is there at all."""
        self._known.add(key)
        return key in self._tree

    def raw(self, key: str) -> object:
        """The value as it stands, unchecked; None if absent."""
        self._known.add(key)
        return self._tree.get(key)

    def names(self) -> tuple[str, ...]:
        """Every key of this mapping, as text."""
        return tuple(str(key) for key in self._tree)

    def path(self, key: str) -> str:
        """The key's full name for a person."""
        return f"{self.key}.{key}" if self.key else key

    def wrong(self, key: str, expected: str) -> None:
        """Note that the value at `key` is not as expected."""
        value = shown(self._tree[key]) if key in self._tree else "missing"
        self.problems.append(Problem(self.file, self.path(key), value, expected))

    def text(self, key: str, default: str | None = None, expected: str = "a text") -> str:
        """A text that is not empty, at most 1,000 characters."""
        value = self.raw(key)
        if value is None and default is not None and key not in self._tree:
            return default
        if isinstance(value, str) and 0 < len(value) <= 1000:
            return value
        self.wrong(key, expected)
        return ""

    def identity(self, key: str) -> str:
        """An id as topics and tags carry it."""
        value = self.raw(key)
        if isinstance(value, str) and is_id(value):
            return value
        self.wrong(key, "an id of at most 64 lower-case letters, digits and hyphens")
        return ""

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within both bounds."""
        value = self.raw(key)
        if value is None and default is not None and key not in self._tree:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.wrong(key, f"a whole number, {low} to {high}")
        return low

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A finite number within both bounds."""
        value = self.raw(key)
        if value is None and default is not None and key not in self._tree:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and low <= value <= high:
            return value
        self.wrong(key, f"a number, {low:g} to {high:g}")
        return low

    def optional(self, key: str, low: float, high: float) -> float | None:
        """A finite number within both bounds, or None if absent."""
        return self.number(key, low, high) if self.has(key) else None

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.raw(key)
        if isinstance(value, bool):
            return value
        if key in self._tree:
            self.wrong(key, "true or false")
        return default

    def word(self, key: str, words: type[Word], default: Word | None = None) -> Word:
        """One of the words of an enumeration."""
        value = self.raw(key)
        if value is None and default is not None and key not in self._tree:
            return default
        for word in words:
            if value == word.value:
                return word
        self.wrong(key, "one of " + ", ".join(word.value for word in words))
        return next(iter(words))

    def section(self, key: str) -> "Section":
        """The mapping at `key`; an absent one is empty, so that what it must hold is named key by key."""
        return Section(self.file, self.path(key), self._tree.get(key, {}) if self.has(key) else {}, self.problems)

    def sections(self, key: str, limit: int = 100_000) -> "list[Section]":
        """The list of mappings at `key`; an absent one is empty."""
        value = self.raw(key)
        if value is None and key not in self._tree:
            return []
        if not isinstance(value, list) or len(value) > limit:
            self.wrong(key, f"a list of at most {limit} mappings")
            return []
        return [Section(self.file, f"{self.path(key)}[{i}]", item, self.problems) for i, item in enumerate(value)]

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts; absent is empty."""
        value = self.raw(key)
        if value is None and key not in self._tree:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.wrong(key, "a list of texts")
        return ()

    def close(self, also: Iterable[str] = ()) -> None:
        """Note every key that nobody asked for."""
        known = self._known.union(also)
        for key in self._tree:
            if key not in known:
                self.wrong(key, "no such key; known here: " + ", ".join(sorted(known)))
