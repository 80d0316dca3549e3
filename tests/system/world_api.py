"""The controller's API as a blocking client, and waiting for what it will say."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import httpx

from lamplighter_contract.commands.states import FINAL
from lamplighter_gateway.control import NotRunningError

T = TypeVar("T")
LOOK_S: Final = 0.05


class Busy(Exception):
    """The API answers, and cannot do it now."""


class Refused(AssertionError):
    """The API refuses; `problem` is its problem document."""

    def __init__(self, status: int, problem: Any) -> None:
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


def eventually(look: Callable[[], T | None], timeout_s: float, what: str) -> T:
    """Look until there is something; a program that is away meanwhile is waited for."""
    deadline = time.monotonic() + timeout_s
    seen: object = None
    while True:
        try:
            seen = found = look()
            if found:
                return found
        except (httpx.TransportError, Busy, NotRunningError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what}; last seen: {str(seen)[:2000]}")
        time.sleep(LOOK_S)


class Api:
    """One caller of the API."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=10)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        """One request; the answer's JSON.

        Raises:
            Busy: not now.
            Refused: not at all.
            httpx.TransportError: nobody answers.
        """
        answer = self._http.request(method, path, headers=headers, **more)
        if answer.status_code >= 500:
            raise Busy(answer.text)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.json())
        return answer.json() if answer.content else None

    def get(self, path: str, **query: Any) -> Any:
        """Read a resource."""
        return self.ask("GET", path, params=query)

    def latest(self, kind: str = "lamp") -> dict[str, dict[str, Any]]:
        """The newest values of all devices of a kind, by id; `time_ms` among them."""
        columns = self.get("/latest", kind=kind)
        rows = {name: dict(zip(columns["ids"], values, strict=True)) for name, values in columns["values"].items()}
        for name in ("time_ms", "gateway", "state", "quality"):
            rows[name] = dict(zip(columns["ids"], columns[name], strict=True))
        return {device: {name: row[device] for name, row in rows.items()} for device in columns["ids"]}

    def civil_ms(self) -> int:
        """Civil time at the controller."""
        now: int = self.get("/clock")["civil_ms"]
        return now

    def command(self, op: str, *devices: str, key: str | None = None, reason: str = "test", **more: Any) -> Any:
        """Ask for a command; `args` and `expires_s` may be given."""
        target = {} if "where" in more or "gateways" in more else {"devices": list(devices)}
        wanted = {"op": op, **target, "reason": reason, **more}
        return self.ask("POST", "/commands", json=wanted, headers={"Idempotency-Key": key} if key else None)

    def set_level(self, percent: float, *devices: str, for_s: float = 600, **more: Any) -> str:
        """Set a level for some civil seconds; the request's id."""
        args = {"level_percent": percent, "until": self.civil_ms() + round(for_s * 1000)}
        request: str = self.command("light.set", *devices, args=args, **more)["request"]
        return request

    def identify(self, device: str, seconds: int, **more: Any) -> str:
        """Let a lamp blink; the request's id."""
        request: str = self.command("light.identify", device, args={"seconds": seconds}, **more)["request"]
        return request

    def request(self, request: str) -> Any:
        """A request as it stands."""
        return self.get(f"/commands/{request}")

    def ended(self, request: str, timeout_s: float = 20) -> Any:
        """Wait for the end of a request; the request then."""

        def look() -> Any:
            found = self.request(request)
            return found if found["state"] in FINAL else None

        return eventually(look, timeout_s, f"request {request} ends")

    def requests(self) -> list[Any]:
        """Every request there is."""
        found: list[Any] = []
        before: dict[str, str] = {}
        while True:
            page = self.get("/commands", limit=200, **before)
            found += page["items"]
            if page["next_before"] is None:
                return found
            before = {"before": page["next_before"]}

    def alarms(self) -> dict[str, str]:
        """Active alarms: key -> text."""
        return {alarm["key"]: alarm["text"] for alarm in self.get("/alarms")["items"]}

    def past_alarms(self) -> dict[str, str]:
        """The newest alarms, cleared ones too: key -> text."""
        return {alarm["key"]: alarm["text"] for alarm in self.get("/alarms", past=True, limit=1000)["items"]}

    def audit(self, subject: str) -> list[Any]:
        """The audit trail of a subject, newest first."""
        items: list[Any] = self.get("/audit", subject=subject, limit=500)["items"]
        return items

    def dead_letters(self) -> list[Any]:
        """Dead letters, newest first."""
        items: list[Any] = self.get("/dead-letters", limit=200)["items"]
        return items

    def is_gone(self) -> bool:
        """True when nobody answers."""
        with contextlib.suppress(httpx.TransportError, Busy):
            self.get("/health")
            return False
        return True
