"""One YAML file into a tree of plain values, strictly."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml

from lamplighter_gateway.config.problem import Problem

_MAX_BYTES: Final = 8 * 1024 * 1024


class _StrictLoader(yaml.SafeLoader):
    """Plain values only; a key that stands twice is a mistake, not the last one's luck."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_document(path: Path) -> dict[str, Any] | Problem:
    """The file's top-level mapping, or why there is none."""
    name = str(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            return Problem(name, "file", f"{path.stat().st_size} bytes", f"at most {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Problem(name, "file", "unreadable", f"a readable UTF-8 file ({_cause(error)})")
    return parse_document(name, text)


def parse_document(name: str, text: str) -> dict[str, Any] | Problem:
    """The top-level mapping in `text`, or why there is none."""
    try:
        tree = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        return Problem(name, _where(error), "not YAML", f"a YAML document ({_what(error)})")
    except RecursionError:
        return Problem(name, "document", "nested too deeply", "a YAML document of a few levels")
    if not isinstance(tree, dict):
        return Problem(name, "document", type(tree).__name__, "a mapping of keys to values")
    return tree


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark else "document"


def _what(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).replace("\n", " ")


def _cause(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "not UTF-8"
