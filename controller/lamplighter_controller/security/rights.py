"""Rights: which role may do which class of operation, and how narrowly a grant may be confined. Pure.

This table and the one of routes (`routes`) are the only places where rights are declared. The checks, the page
docs/reference/rights.md and the tests are made from them. What is not declared is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Right(StrEnum):
    """What an API token allows; `lighting` is for plans, shows and levels by hand, and `command` holds it."""

    READ = "read"
    LIGHTING = "lighting"
    COMMAND = "command"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is to the city."""

    VIEWER = "viewer"
    CREW = "crew"
    DISPATCHER = "company-dispatcher"
    LIGHTING = "lighting-operator"
    FLEET = "fleet-officer"
    APPROVER = "approver"
    INSTALLER = "installer"
    ADMINISTRATOR = "administrator"


class Operation(StrEnum):
    """Classes of what can be asked of the controller."""

    SELF = "self"
    SEE_CITY = "see-city"
    SEE_LIGHTS = "see-lights"
    SEE_INCIDENTS = "see-incidents"
    SEE_TRUCKS = "see-trucks"
    SEE_DRIVERS = "see-drivers"
    SEE_SYSTEM = "see-system"
    PLAN_LIGHT = "plan-light"
    APPROVE_LIGHT = "approve-light"
    TELL_SIGNALS = "tell-signals"
    SWITCH = "switch"
    TEST = "test"
    HANDLE_INCIDENTS = "handle-incidents"
    PROVE_LIGHT = "prove-light"
    WORK_ORDERS = "work-orders"
    MANAGE_WORK = "manage-work"
    LIMIT_TRUCKS = "limit-trucks"
    APPROVE_LIMITS = "approve-limits"
    HANDLE_VIOLATIONS = "handle-violations"
    DECLARE_LOADS = "declare-loads"
    KEEP_REGISTER = "keep-register"
    COUNT_MONEY = "count-money"
    SERVICE = "service-gateways"
    INSTALL = "install"
    ADMINISTER = "administer"


class By(StrEnum):
    """How narrowly a grant may be confined and still be good for a route: the route's own query looks at the rest."""

    ANYTHING = "anything"  # what it shows or does is of no area and no company
    AREA = "area"
    COMPANY = "company"
    NOTHING = "nothing"  # only grants for the whole city


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do a class of operations. `right`: what an API token needs for it. `acts`: it moves a lamp or a truck."""

    words: str
    right: Right
    roles: frozenset[Role]
    acts: bool = False


_READ, _LIGHTING, _COMMAND, _ADMIN = Right.READ, Right.LIGHTING, Right.COMMAND, Right.ADMIN
_EVERYBODY: Final = frozenset(Role)
_CITY: Final = _EVERYBODY - {Role.DISPATCHER}


def _roles(*roles: Role) -> frozenset[Role]:
    return frozenset(roles)


OPERATIONS: Final[Mapping[Operation, Rule]] = {
    Operation.SELF: Rule("One's own session, password and code", _READ, _EVERYBODY),
    Operation.SEE_CITY: Rule("Clock, name of the city, what happens", _READ, _EVERYBODY),
    Operation.SEE_LIGHTS: Rule("Lamps, cabinets, plans, levels by hand, light proven, energy", _READ, _CITY),
    Operation.SEE_INCIDENTS: Rule("What is broken, work orders, parts, figures of repair", _READ, _CITY),
    Operation.SEE_TRUCKS: Rule(
        "Trucks, tracks, violations, evidence, limits",
        _READ,
        _roles(Role.VIEWER, Role.DISPATCHER, Role.FLEET, Role.APPROVER, Role.ADMINISTRATOR),
    ),
    Operation.SEE_DRIVERS: Rule("Who drives", _READ, _roles(Role.DISPATCHER, Role.FLEET)),
    Operation.SEE_SYSTEM: Rule("Alarms of the system, dead letters", _READ, _CITY),
    Operation.PLAN_LIGHT: Rule("Plans, library, levels by hand, shows", _LIGHTING, _roles(Role.LIGHTING), acts=True),
    Operation.APPROVE_LIGHT: Rule(
        "Approve what takes light away", _LIGHTING, _roles(Role.LIGHTING, Role.APPROVER), acts=True
    ),
    Operation.TELL_SIGNALS: Rule("Say what a sensor measured", _LIGHTING, _roles(Role.LIGHTING), acts=True),
    Operation.SWITCH: Rule("Commands to lamps, circuits and trucks", _COMMAND, _roles(Role.LIGHTING), acts=True),
    Operation.TEST: Rule("Have a lamp in doubt tested", _COMMAND, _roles(Role.CREW, Role.LIGHTING), acts=True),
    Operation.HANDLE_INCIDENTS: Rule(
        "Acknowledge, shelve, close; windows; parts replaced", _COMMAND, _roles(Role.CREW, Role.LIGHTING)
    ),
    Operation.PROVE_LIGHT: Rule("Work out a night again, tell what a patrol saw", _COMMAND, _roles(Role.LIGHTING)),
    Operation.WORK_ORDERS: Rule(
        "Take, lock, mend, prove and close a work order", _COMMAND, _roles(Role.CREW, Role.LIGHTING), acts=True
    ),
    Operation.MANAGE_WORK: Rule("Crews, trips, parts, monthly reports", _COMMAND, _roles(Role.LIGHTING)),
    Operation.LIMIT_TRUCKS: Rule(
        "Limits, policies, switches, words to drivers", _COMMAND, _roles(Role.FLEET), acts=True
    ),
    Operation.APPROVE_LIMITS: Rule(
        "Approve limits of many trucks", _COMMAND, _roles(Role.FLEET, Role.APPROVER), acts=True
    ),
    Operation.HANDLE_VIOLATIONS: Rule("Review, notify, hand over; evidence", _COMMAND, _roles(Role.FLEET)),
    Operation.DECLARE_LOADS: Rule("Declare waybills", _COMMAND, _roles(Role.FLEET)),
    Operation.KEEP_REGISTER: Rule(
        "Companies, drivers, trucks, places, permits, policies", _ADMIN, _roles(Role.FLEET), acts=True
    ),
    Operation.SERVICE: Rule(
        "Updates, configurations and support of gateways",
        _COMMAND,
        _roles(Role.INSTALLER, Role.ADMINISTRATOR),
        acts=True,
    ),
    Operation.COUNT_MONEY: Rule("Tariffs and baselines", _ADMIN, _roles(Role.ADMINISTRATOR)),
    Operation.INSTALL: Rule(
        "Inventory, gateways, letters tried again", _ADMIN, _roles(Role.INSTALLER, Role.ADMINISTRATOR), acts=True
    ),
    Operation.ADMINISTER: Rule(
        "Accounts, tokens, audit trail, backup, release", _ADMIN, _roles(Role.ADMINISTRATOR), acts=True
    ),
}
NEEDS_CODE: Final = frozenset(role for rule in OPERATIONS.values() if rule.acts for role in rule.roles)
"""Roles that can switch or limit: their accounts log in with a one-time code besides the password."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a right reaches: companies by id, areas as the gateways that serve them; None = all there are."""

    companies: frozenset[str] | None = None
    areas: frozenset[str] | None = None

    def has_company(self, company: str) -> bool:
        """True when what is of this company is within."""
        return self.companies is None or company in self.companies

    def has_gateway(self, gateway: str | None) -> bool:
        """True when what this gateway serves is within; what no gateway serves is so for the whole city only."""
        return self.areas is None or gateway in self.areas

    @property
    def whole(self) -> bool:
        """True when nothing is left out."""
        return self.companies is None and self.areas is None

    def fits(self, by: By) -> bool:
        """True when a route that looks at `by` keeps within this scope."""
        match by:
            case By.ANYTHING:
                return True
            case By.AREA:
                return self.companies is None
            case By.COMPANY:
                return self.areas is None
            case By.NOTHING:
                return self.whole


EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and where it holds."""

    role: Role
    scope: Scope = EVERYTHING


def granted(grants: Iterable[Grant], operation: Operation, by: By) -> Scope | None:
    """What an account's grants reach for an operation at a route that looks at `by`; None = it may not."""
    rule = OPERATIONS[operation]
    fitting = [grant.scope for grant in grants if grant.role in rule.roles and grant.scope.fits(by)]
    if not fitting:
        return None
    return Scope(_union([scope.companies for scope in fitting]), _union([scope.areas for scope in fitting]))


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for one in sets:
        if one is None:
            return None
        found |= one
    return found
