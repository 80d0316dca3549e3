"""Scopes and grants as they are kept: JSON text in a column. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lamplighter_controller.security.rights import EVERYTHING, Grant, Role, Scope


def scope_text(scope: Scope) -> str | None:
    """The text of a scope; None for everything."""
    return None if scope.whole else msgspec.json.encode(_shown(scope)).decode()


def scope_from(text: str | None) -> Scope:
    """The scope of a text that was kept."""
    return EVERYTHING if text is None else _scope(msgspec.json.decode(text))


def grants_text(grants: Sequence[Grant]) -> str:
    """The text of grants."""
    return msgspec.json.encode([{"role": grant.role, **_shown(grant.scope)} for grant in grants]).decode()


def grants_from(text: str) -> tuple[Grant, ...]:
    """The grants of a text that was kept."""
    return tuple(Grant(Role(one["role"]), _scope(one)) for one in msgspec.json.decode(text))


def _shown(scope: Scope) -> dict[str, list[str]]:
    kept = {"companies": scope.companies, "areas": scope.areas}
    return {name: sorted(values) for name, values in kept.items() if values is not None}


def _scope(shown: Mapping[str, Any]) -> Scope:
    companies, areas = shown.get("companies"), shown.get("areas")
    return Scope(
        None if companies is None else frozenset(companies),
        None if areas is None else frozenset(areas),
    )
