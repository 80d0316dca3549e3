"""An account as it may be shown, and what makes a set of grants impossible. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lamplighter_controller.security.callers import needs_code
from lamplighter_controller.security.rights import Grant, Role

MOST_GRANTS: Final = 20


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account: never its password nor the secret of its codes."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    must_change: bool
    has_code: bool
    created_ms: int
    created_by: str
    disabled_ms: int | None

    @property
    def who(self) -> str:
        """How the person stands in the audit trail."""
        return f"user:{self.name}"

    @property
    def needs_code(self) -> bool:
        """True when one of its roles can switch or limit."""
        return needs_code(self.grants)


def mistakes(grants: Sequence[Grant]) -> list[str]:
    """What is wrong with grants, in words; empty when they can be given."""
    found = [] if grants else ["expected at least one role"]
    for grant in grants:
        companies, areas = grant.scope.companies, grant.scope.areas
        if grant.role is Role.DISPATCHER and not companies:
            found.append(f"{grant.role}: expected the companies whose trucks this person may see")
        if companies is not None and grant.role not in {Role.DISPATCHER, Role.VIEWER}:
            found.append(f"{grant.role}: only a dispatcher or a viewer is of companies")
        if areas is not None and companies is not None:
            found.append(f"{grant.role}: expected companies or areas, not both")
        if companies == frozenset() or areas == frozenset():
            found.append(f"{grant.role}: an empty list reaches nothing; leave it out for the whole city")
    return found
