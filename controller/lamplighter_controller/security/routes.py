"""Which class of operation every route of the API is. One line a route; a route that is missing here is refused.

A route goes under its operation, and there under what its own query looks at: `AREA` and `COMPANY` routes must keep
what they show and do within the scope of their caller, all others must not show or do what is of one of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lamplighter_controller.security.rights import By, Operation

_SHELVES: Final = ("programs", "calendars", "assignments", "adaptive", "almanacs", "signals", "scenes")
_STOCK: Final = ("districts", "roads", "cabinets", "circuits", "luminaire-models", "luminaires", "groups")
_REGISTER: Final = ("companies", "drivers", "trucks", "places", "objects", "permits")

_TABLE: Final[Mapping[tuple[Operation, By], tuple[str, ...]]] = {
    (Operation.SELF, By.ANYTHING): (
        "POST /session",
        "POST /session/password",
        "POST /session/code",
        "PUT /session/code",
    ),
    (Operation.SEE_CITY, By.ANYTHING): ("GET /clock", "GET /city"),
    (Operation.SEE_CITY, By.COMPANY): (
        "GET /events",
        "GET /live",
        "GET /devices",
        "GET /devices/{device}",
        "GET /devices/{device}/latest",
        "GET /devices/{device}/history",
        "GET /latest",
    ),
    (Operation.SEE_LIGHTS, By.ANYTHING): (
        "GET /commands",
        "GET /commands/{request_id}",
        "GET /overrides",
        "GET /overrides/past",
        "GET /overrides/{override}",
        "POST /scenes/{scene}/rehearse",
        "GET /showings",
        "GET /signal-values",
        "GET /gateways",
        "GET /rollouts",
        "GET /gateways/{gateway}/config",
        "GET /gateways/{gateway}",
        "GET /gateways/{gateway}/events",
        "GET /plans",
        "GET /plans/versions",
        "GET /plans/versions/{gateway}",
        "GET /plans/{number}",
        "GET /plans/{number}/diff",
        *(f"GET /{shelf}" for shelf in _SHELVES),
        *(f"GET /{shelf}/{{item}}" for shelf in _SHELVES),
        "GET /lamps/{device}/tonight",
        "GET /lamps/{device}/why",
        "GET /roads/{road}/tonight",
        "GET /rates",
        "GET /rates/nights",
        "GET /rates/{night}/list",
        "GET /energy",
        "GET /energy/tariffs",
        "GET /energy/baseline",
        "GET /burning-hours",
        *(f"GET /{stock}" for stock in _STOCK),
        *(f"GET /{stock}/export" for stock in _STOCK),
    ),
    (Operation.SEE_INCIDENTS, By.ANYTHING): (
        "GET /incidents",
        "GET /incidents/{incident}",
        "GET /incidents/{incident}/explanation",
        "GET /maintenance-windows",
        "GET /protectors",
        "GET /orders",
        "GET /orders/{order}",
        "GET /orders/{order}/photos/{sha256}",
        "GET /crews",
        "GET /trips",
        "GET /trips/proposals",
        "GET /parts",
        "GET /parts/moves",
        "GET /parts/history",
        "GET /figures",
        "GET /figures/{figure}/orders",
        "GET /reports",
        "GET /reports/{month}",
        "GET /patrols",
        "GET /notices",
        "GET /patrols/plans",
        "GET /patrols/{round}",
    ),
    (Operation.SEE_SYSTEM, By.ANYTHING): ("GET /alarms", "GET /dead-letters"),
    (Operation.SEE_TRUCKS, By.COMPANY): (
        "GET /fleet/positions",
        "GET /fleet/trucks/{truck}/now",
        "GET /fleet/trucks/{truck}/track",
        "GET /fleet/replay",
        "GET /fleet/trips",
        "GET /fleet/violations",
        "GET /fleet/violations/{violation}",
        "GET /fleet/violations/{violation}/evidence",
        "GET /fleet/violations/{violation}/packages/{number}",
        "GET /fleet/limits",
        "GET /fleet/limits/{limit}",
        "GET /fleet/figures",
    ),
    (Operation.SEE_TRUCKS, By.ANYTHING): (
        "GET /fleet/places",
        "GET /fleet/places/{thing}",
        "GET /fleet/policies",
    ),
    (Operation.SEE_TRUCKS, By.NOTHING): (
        "GET /fleet/cases/statistics",
        "GET /fleet/cases/export",
        "GET /fleet/limit-asks",
        "GET /fleet/switches",
        "GET /fleet/waybills",
        "GET /fleet/waybills/closure",
        "GET /fleet/waybills/{waybill}",
        "GET /fleet/strangers",
        "GET /fleet/objects/{thing}/now",
        *(f"GET /fleet/{thing}" for thing in ("companies", "trucks", "objects", "permits")),
        *(f"GET /fleet/{thing}/{{thing}}" for thing in ("companies", "trucks", "objects", "permits")),
    ),
    (Operation.SEE_DRIVERS, By.NOTHING): (
        "GET /fleet/drivers",
        "GET /fleet/drivers/{thing}",
        "GET /fleet/trucks/{truck}/cards",
    ),
    (Operation.PLAN_LIGHT, By.AREA): ("POST /overrides", "DELETE /overrides/{override}"),
    (Operation.PLAN_LIGHT, By.NOTHING): (
        "POST /scenes/{scene}/start",
        "POST /showings/{showing}/stop",
        "POST /plans",
        "POST /plans/back",
        "POST /plans/{number}/validate",
        "POST /plans/{number}/publish",
        *(f"{method} /{shelf}/{{item}}" for shelf in _SHELVES for method in ("PUT", "DELETE")),
        "POST /presets",
    ),
    (Operation.APPROVE_LIGHT, By.NOTHING): (
        "POST /overrides/{override}/approve",
        "POST /showings/{showing}/approve",
        "POST /plans/{number}/approve",
    ),
    (Operation.TELL_SIGNALS, By.NOTHING): ("POST /signals/{signal}/inputs",),
    (Operation.SWITCH, By.AREA): ("POST /commands", "POST /devices/{device}/level"),
    (Operation.SWITCH, By.NOTHING): ("POST /incidents/{incident}/isolate",),
    (Operation.TEST, By.NOTHING): ("POST /incidents/{incident}/test",),
    (Operation.HANDLE_INCIDENTS, By.NOTHING): (
        "POST /incidents/{incident}/acknowledge",
        "POST /incidents/{incident}/shelve",
        "POST /incidents/{incident}/work",
        "POST /incidents/{incident}/close",
        "POST /maintenance-windows",
        "POST /maintenance-windows/{window}/end",
        "POST /elements/replaced",
        "POST /protectors/{protector}/tests",
        "POST /burning-hours/{lamp}/replaced",
    ),
    (Operation.PROVE_LIGHT, By.NOTHING): ("POST /rates/{night}/work-out", "POST /rates/patrols"),
    (Operation.WORK_ORDERS, By.NOTHING): (
        "POST /orders",
        "POST /orders/{order}/steps/{action}",
        "POST /orders/{order}/proof",
        "POST /orders/{order}/lock",
        "POST /orders/{order}/restore",
        "POST /orders/{order}/safety",
        "POST /orders/{order}/photos",
        "POST /orders/{order}/parts",
        "POST /patrols/{round}/results",
        "POST /patrols/{round}/finish",
    ),
    (Operation.MANAGE_WORK, By.NOTHING): (
        "PUT /crews",
        "POST /trips",
        "PUT /patrols/plans",
        "PUT /parts",
        "POST /parts/moves",
        "POST /reports/{month}",
    ),
    (Operation.LIMIT_TRUCKS, By.NOTHING): (
        "POST /fleet/trucks/{truck}/speak",
        "POST /fleet/trucks/{truck}/locate",
        "POST /fleet/trucks/{truck}/unlock-code",
        "POST /fleet/limits",
        "DELETE /fleet/limits/{limit}",
        "POST /fleet/limit-asks/{limit}/withdraw",
        "PUT /fleet/kill-switch",
        "PUT /fleet/red-alert",
        "POST /fleet/policies/{policy}/trial",
        "POST /fleet/policies/{policy}/on",
        "POST /fleet/policies/{policy}/off",
        "POST /fleet/permits/{thing}/suspend",
    ),
    (Operation.APPROVE_LIMITS, By.NOTHING): ("POST /fleet/limit-asks/{limit}/approve",),
    (Operation.HANDLE_VIOLATIONS, By.NOTHING): (
        "POST /fleet/violations/{violation}/review",
        "POST /fleet/violations/{violation}/notify",
        "POST /fleet/violations/{violation}/appeal",
        "POST /fleet/violations/{violation}/hand-over",
        "POST /fleet/violations/{violation}/number",
        "POST /fleet/violations/{violation}/conclude",
        "POST /fleet/cases/import",
        "POST /fleet/violations/{violation}/photos",
        "POST /fleet/violations/{violation}/evidence/collect",
        "POST /fleet/violations/{violation}/packages",
        "POST /fleet/violations/{violation}/hold",
        "DELETE /fleet/violations/{violation}/hold",
    ),
    (Operation.DECLARE_LOADS, By.NOTHING): ("PUT /fleet/waybills", "POST /fleet/waybills/import"),
    (Operation.KEEP_REGISTER, By.NOTHING): (
        *(f"PUT /fleet/{thing}" for thing in _REGISTER),
        *(f"POST /fleet/{thing}/import" for thing in _REGISTER),
        "PUT /fleet/policies",
        "POST /fleet/trucks/{truck}/unlock-key",
        "POST /fleet/strangers/{stranger}/adopt",
    ),
    (Operation.COUNT_MONEY, By.NOTHING): (
        "PUT /energy/tariffs/{tariff}",
        "DELETE /energy/tariffs/{tariff}",
        "PUT /energy/baseline",
    ),
    (Operation.SERVICE, By.NOTHING): ("GET /gateways/{gateway}/support/{command}",),
    (Operation.INSTALL, By.NOTHING): (
        *(f"POST /{stock}/import" for stock in _STOCK),
        "PUT /gateways/{gateway}",
        "POST /gateways/{gateway}/replace",
        "POST /gateways/{gateway}/credential",
        "DELETE /gateways/{gateway}",
        "POST /dead-letters/replay",
        "POST /rollouts",
        "POST /rollouts/{rollout}/stop",
        "PUT /gateways/{gateway}/config",
    ),
    (Operation.ADMINISTER, By.NOTHING): (
        "GET /audit",
        "POST /audit/verify",
        "GET /audit/export",
        "GET /tokens",
        "POST /tokens",
        "DELETE /tokens/{name}",
        "GET /accounts",
        "POST /accounts",
        "PUT /accounts/{account}/grants",
        "POST /accounts/{account}/reset",
        "DELETE /accounts/{account}",
        "POST /controller/release",
        "POST /controller/backup",
    ),
}
OPEN: Final = frozenset({"GET /health", "GET /session", "DELETE /session", "POST /session/login", "POST /enrolment"})
"""Routes that answer everybody."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route is: its class of operation, and what its query looks at."""

    operation: Operation
    by: By


def _declared() -> Iterator[tuple[str, Declared]]:
    for (operation, by), routes in _TABLE.items():
        for route in routes:
            yield route, Declared(operation, by)


ROUTES: Final[Mapping[str, Declared]] = dict(_declared())
"""By method and path below /api/v1."""
