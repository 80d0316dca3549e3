"""After every request: one that was refused leaves its row in the audit trail before it is answered."""

import logging
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamplighter_controller.api.services import Services
from lamplighter_controller.ledger.errors import LedgerRejected, LedgerUnavailable
from lamplighter_controller.security import audit
from lamplighter_controller.security.attempts import Attempt, Attempts

log = logging.getLogger(__name__)

API: Final = "/api/"
ALWAYS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
WHEN_CHANGING: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
NOBODY: Final = "nobody"


class RecordsRefusals:
    """Records what nobody may do, and what was asked and not done; reading what is not there is no attempt."""

    def __init__(self, app: ASGIApp, services: Services, attempts: Attempts) -> None:
        self._app, self._services, self._attempts = app, services, attempts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at its answer."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_refusal(scope["method"], message["status"]):
                await self._record(_attempt(scope, message["status"]))
            await send(message)

        await self._app(scope, receive, recorded)

    async def _record(self, attempt: Attempt) -> None:
        clock = self._services.clock
        entry = self._attempts.note(attempt, clock.monotonic_s(), clock.wall_ms())
        if entry is None:
            return
        try:
            await self._services.ledger.write(lambda connection: audit.record_all(connection, [entry]))
        except (LedgerUnavailable, LedgerRejected) as error:
            log.warning("%s tried %s and was refused, which the audit trail lacks: %s", entry.who, entry.subject, error)


async def record_gathered(services: Services, attempts: Attempts) -> None:
    """Record what was counted in minutes that are over; what the ledger does not take now is told in the log."""
    entries = attempts.due(services.clock.monotonic_s(), services.clock.wall_ms())
    if not entries:
        return
    try:
        await services.ledger.write(lambda connection: audit.record_all(connection, entries))
    except (LedgerUnavailable, LedgerRejected) as error:
        log.warning("%d kinds of refused attempts are not in the audit trail: %s", len(entries), error)


def _is_refusal(method: str, status: int) -> bool:
    return status in ALWAYS or (status in WHEN_CHANGING and method not in READS)


def _attempt(scope: Scope, status: int) -> Attempt:
    state = scope.get("state", {})
    route = scope.get("route")
    what = getattr(route, "path", "unknown address")
    client = scope.get("client")
    return Attempt(
        state.get("who", NOBODY),
        client[0] if client else "",
        f"{scope['method']} {what}",
        state.get("refusal", HTTPStatus(status).phrase.lower()),
        status,
    )
