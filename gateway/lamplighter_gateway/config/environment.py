"""What the environment may override: the addresses that differ between machines, and nothing else.

LAMPLIGHTER_UPLINK_HOST, LAMPLIGHTER_UPLINK_PORT, LAMPLIGHTER_UPLINK_PASSWORD_FILE, LAMPLIGHTER_METRICS_HOST,
LAMPLIGHTER_METRICS_PORT, LAMPLIGHTER_DATA, LAMPLIGHTER_CLOCK.
"""

from collections.abc import Mapping
from typing import Any, Final

from lamplighter_gateway.config.problem import Problem, shown

_OVERRIDES: Final[dict[str, tuple[str, ...]]] = {
    "LAMPLIGHTER_UPLINK_HOST": ("uplink", "host"),
    "LAMPLIGHTER_UPLINK_PORT": ("uplink", "port"),
    "LAMPLIGHTER_UPLINK_PASSWORD_FILE": ("uplink", "password_file"),
    "LAMPLIGHTER_METRICS_HOST": ("metrics", "host"),
    "LAMPLIGHTER_METRICS_PORT": ("metrics", "port"),
    "LAMPLIGHTER_DATA": ("data",),
    "LAMPLIGHTER_CLOCK": ("clock",),
}


def overlaid(tree: Mapping[str, Any], environment: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """The document with the environment's overrides in place; a bad one is noted and left out."""
    result = dict(tree)
    for name, path in _OVERRIDES.items():
        if name not in environment:
            continue
        value = _value(name, environment[name], path, problems)
        if value is not None:
            _put(result, path, value)
    return result


def _value(name: str, text: str, path: tuple[str, ...], problems: list[Problem]) -> int | str | None:
    if path[-1] != "port":
        if text:
            return text
        problems.append(Problem("environment", name, "empty", "a text, or the variable unset"))
        return None
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    problems.append(Problem("environment", name, shown(text), "a port, 1 to 65535"))
    return None


def _put(tree: dict[str, Any], path: tuple[str, ...], value: int | str) -> None:
    for key in path[:-1]:
        inner = tree.get(key)
        tree[key] = dict(inner) if isinstance(inner, dict) else {}
        tree = tree[key]
    tree[path[-1]] = value
