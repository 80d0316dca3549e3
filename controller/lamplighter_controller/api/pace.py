"""How fast one caller may ask: a bucket of tokens for each API token, session or address. Before anything is looked up.

A token or cookie that nobody knows gets a bucket of its own, too, and then one of its address: so a flood of made-up
ones is bounded by where it comes from.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from math import ceil
from typing import Final

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lamplighter_contract.clock import Clock
from lamplighter_controller.api import problems

MOST_BUCKETS: Final = 20_000
OF_ADDRESS: Final = 10  # so many callers may share an address at full pace: an office, a proxy


@dataclass(frozen=True, slots=True)
class Pace:
    """What one caller may ask: so many requests a second in the long run, so many at once."""

    per_s: float = 100.0
    at_once: int = 400


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


@dataclass(slots=True)
class Buckets:
    """Buckets by name; bounded, those unused for longest are forgotten first, by when they are full again."""

    pace: Pace
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def wait_s(self, name: str, now_s: float, share: int = 1) -> float:
        """0 when the request is within the pace, which it then uses; else how long to wait."""
        per_s, most = self.pace.per_s * share, float(self.pace.at_once * share)
        bucket = self._buckets.get(name) or _Bucket(most, now_s)
        bucket.left = min(most, bucket.left + max(0.0, now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        self._buckets[name] = bucket
        self._buckets.move_to_end(name)
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / per_s
        bucket.left -= 1.0
        return 0.0


class KeepsPace:
    """Asks whoever is too fast to come back later."""

    def __init__(self, app: ASGIApp, clock: Clock, pace: Pace) -> None:
        self._app, self._clock, self._buckets = app, clock, Buckets(pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        wait_s = self._wait_s(scope) if scope["type"] == "http" else 0.0
        if wait_s > 0:
            await _refuse(send, wait_s)
        else:
            await self._app(scope, receive, send)

    def _wait_s(self, scope: Scope) -> float:
        now_s, client = self._clock.monotonic_s(), scope.get("client")
        address = client[0] if client else ""
        headers = Headers(scope=scope)
        shown = headers.get("authorization") or headers.get("cookie")
        if shown is None:
            return self._buckets.wait_s(f"address {address}", now_s)
        caller = hashlib.sha256(shown.encode(errors="replace")).hexdigest()
        wait_s = self._buckets.wait_s(caller, now_s)
        return wait_s or self._buckets.wait_s(f"callers of {address}", now_s, OF_ADDRESS)


async def _refuse(send: Send, wait_s: float) -> None:
    status = HTTPStatus.TOO_MANY_REQUESTS
    body = orjson.dumps(problems.document(status, "too-fast", "Too many requests; see Retry-After."))
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(ceil(wait_s)).encode()),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
