"""The app: resources under /api/v1, the console at the root."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from lamplighter_controller.api import attempts, live, problems, reference, static
from lamplighter_controller.api.envelope import BodyLimit, SecurityHeaders
from lamplighter_controller.api.hub import Hub
from lamplighter_controller.api.pace import KeepsPace, Pace
from lamplighter_controller.api.queries import known_query
from lamplighter_controller.api.resources import (
    accounts,
    alarms,
    audit,
    commands,
    configs,
    credentials,
    dead_letters,
    devices,
    energy,
    gateways,
    history,
    hours,
    incidents,
    inventory,
    lamps,
    latest,
    library,
    overrides,
    plans,
    rates,
    roads,
    rollouts,
    session,
    showings,
    signals,
    system,
    tokens,
    windows,
)
from lamplighter_controller.api.resources.fleet import cases as fleet_cases
from lamplighter_controller.api.resources.fleet import evidence as fleet_evidence
from lamplighter_controller.api.resources.fleet import figures as fleet_figures
from lamplighter_controller.api.resources.fleet import limits as fleet_limits
from lamplighter_controller.api.resources.fleet import objects as fleet_objects
from lamplighter_controller.api.resources.fleet import policies as fleet_policies
from lamplighter_controller.api.resources.fleet import register as fleet_register
from lamplighter_controller.api.resources.fleet import strangers as fleet_strangers
from lamplighter_controller.api.resources.fleet import trucks as fleet_trucks
from lamplighter_controller.api.resources.fleet import violations as fleet_violations
from lamplighter_controller.api.resources.fleet import waybills as fleet_waybills
from lamplighter_controller.api.resources.maintenance import crews as maintenance_crews
from lamplighter_controller.api.resources.maintenance import figures as maintenance_figures
from lamplighter_controller.api.resources.maintenance import notices as maintenance_notices
from lamplighter_controller.api.resources.maintenance import orders as maintenance_orders
from lamplighter_controller.api.resources.maintenance import parts as maintenance_parts
from lamplighter_controller.api.resources.maintenance import patrols as maintenance_patrols
from lamplighter_controller.api.resources.maintenance import work as maintenance_work
from lamplighter_controller.api.services import Services
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.security.accounts.desk import AccountDesk
from lamplighter_controller.security.attempts import GATHERED_S, Attempts
from lamplighter_controller.series.port import SeriesUnavailable

PREFIX: Final = "/api/v1"
DESCRIPTION: Final = """Street lamps live, and commands followed to their effect.

Times ending in `_ms` are epoch milliseconds. Readings, `start`, `end` and `until` are civil time, which a demo may run
faster; everything about requests and commands is real time. Unknown values are null or left out, never zero.
Every refusal is a problem document (RFC 9457) naming the field and the rule.

Live values: WebSocket `/api/v1/live?kinds=lamp`. Frames are JSON objects with a `type`: `hello` (version, build, rate),
`delta` (kind, version, and columns for the rows that changed, in the order of `GET /latest`), `beat` each second when
nothing changed, `resync` (read `GET /latest` again). Read `GET /latest` after `hello`, then take deltas of a greater
version.
"""
TAGS: Final = [
    {"name": "devices", "description": "Lamps, cabinets, circuits: what they are and what is known of them now"},
    {"name": "history", "description": "What was measured"},
    {"name": "commands", "description": "One, many or all that match; followed until read back"},
    {"name": "overrides", "description": "Levels by hand, always with an end; who has to approve them; emergencies"},
    {"name": "scenes", "description": "Shows of light: rehearsed, started at a time, stopped"},
    {"name": "signals", "description": "What sensors, counters and the weather say, and what gateways are told of it"},
    {"name": "plans", "description": "Draft, validate, approve, publish; which gateway runs which version"},
    {
        "name": "library",
        "description": "What plans are made of: programs, calendars, assignments, rules; signals and scenes",
    },
    {"name": "lamps", "description": "A lamp's night ahead, and why it has its level"},
    {"name": "proof", "description": "Lit rate of each night and what proves it; energy, bills, burning hours"},
    {"name": "fleet", "description": "Muck trucks: where they are, what they did, limits, policies, permits, waybills"},
    {"name": "inventory", "description": "What stands in the streets; import and export"},
    {"name": "gateways", "description": "Enrolment, presence, health"},
    {"name": "live", "description": "Values and events as they come"},
    {"name": "incidents", "description": "What is broken in the street, how sure, what to do; windows and trip tests"},
    {"name": "maintenance", "description": "Work orders to their proof; crews, trips, parts; figures, monthly reports"},
    {"name": "alarms", "description": "About the system itself"},
    {"name": "dead letters", "description": "What could not be stored, and why"},
    {"name": "audit", "description": "Who did what"},
    {"name": "tokens", "description": "Access of programs"},
    {"name": "accounts", "description": "Access of people"},
    {"name": "session", "description": "A browser's access"},
    {"name": "system", "description": "The controller itself"},
]
USUAL_PACE: Final = Pace()
ROUTERS: Final = (
    devices.router,
    latest.router,
    history.router,
    commands.router,
    overrides.router,
    showings.router,
    signals.router,
    gateways.router,
    credentials.router,
    rollouts.router,
    configs.router,
    plans.router,
    library.router,
    lamps.router,
    roads.router,
    rates.router,
    energy.router,
    hours.router,
    inventory.router,
    fleet_trucks.router,
    fleet_violations.router,
    fleet_cases.router,
    fleet_evidence.router,
    fleet_limits.router,
    fleet_policies.router,
    fleet_figures.router,
    fleet_waybills.router,
    fleet_strangers.router,
    fleet_objects.router,
    fleet_register.router,
    live.router,
    incidents.router,
    windows.router,
    maintenance_orders.router,
    maintenance_work.router,
    maintenance_crews.router,
    maintenance_parts.router,
    maintenance_patrols.router,
    maintenance_figures.router,
    maintenance_notices.router,
    alarms.router,
    dead_letters.router,
    audit.router,
    tokens.router,
    accounts.router,
    session.router,
    system.router,
)


def create_api(services: Services, web: Path = static.WEB, pace: Pace = USUAL_PACE) -> FastAPI:
    """The whole HTTP side; its lifespan runs the live stream. `web` holds the built console."""
    app = FastAPI(
        title="Lamplighter",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        routes=list(_routes()),
    )
    app.state.services = services
    app.state.hub = Hub(services, static.build_id(web))
    app.state.listeners = 0
    app.state.attempts = Attempts()
    app.state.accounts = AccountDesk(
        services.ledger, services.clock, services.session_key, services.controller, secrets.token_bytes
    )
    problems.install(app, (LedgerUnavailable, SeriesUnavailable))
    reference.install(app, services.clock, f"{PREFIX}/openapi.json")
    static.install(app, web)
    app.add_middleware(BodyLimit)
    app.add_middleware(KeepsPace, clock=services.clock, pace=pace)
    app.add_middleware(attempts.RecordsRefusals, services=services, attempts=app.state.attempts)
    app.add_middleware(SecurityHeaders)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """What is served under /api/v1; made once, for that takes a second and nothing in it depends on the app."""
    api = APIRouter(
        prefix=PREFIX,
        responses=problems.RESPONSES,
        dependencies=[Depends(known_query)],
        generate_unique_id_function=_operation_id,
    )
    for router in ROUTERS:
        api.include_router(router)
    whole = APIRouter()
    whole.include_router(api)
    return tuple(whole.routes)


def _operation_id(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'other'}-{route.name}".replace(" ", "-").replace("_", "-")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    hub: Hub = app.state.hub
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(hub.run(), name="api-live"),
            tasks.create_task(_record_gathered(app), name="api-attempts"),
        ]
        yield
        for task in running:
            task.cancel()


async def _record_gathered(app: FastAPI) -> None:
    while True:
        await asyncio.sleep(GATHERED_S)
        await attempts.record_gathered(app.state.services, app.state.attempts)
