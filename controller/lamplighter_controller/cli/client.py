"""The API from outside: one request at a time, with a token; what is refused comes as the problem document says it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from lamplighter_controller.errors import ControllerError

PREFIX: Final = "/api/v1"
CONNECT_S: Final = 5.0
READ_S: Final = 120.0  # a whole city is checked over a year of nights, or imported
PAGE: Final = 1_000
MAX_SHOWN: Final = 300
PART_BYTES: Final = 65_536

Query = Mapping[str, Any]


class Unreachable(ControllerError):
    """No controller answers at the address, or not in time."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a request: where it stands, and what the rule says."""

    field: str
    detail: str


class Refused(ControllerError):
    """The controller answered that it will not."""

    def __init__(self, status: int, detail: str, mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.mistakes = mistakes


class Client:
    """The API of one controller. Every method raises `Refused` or `Unreachable`."""

    def __init__(self, url: str, token: str | None, ca_file: str | None = None) -> None:
        """`url` without a path, as `http://127.0.0.1:8080`; `ca_file` when the certificate is of the city's own."""
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        timeout = urllib3.Timeout(connect=CONNECT_S, read=READ_S)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, ca_certs=ca_file)

    def get(self, path: str, query: Query | None = None) -> Any:
        """What stands there."""
        return self._decoded(self._ask("GET", path, query))

    def every(self, path: str, query: Query | None = None) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        while True:
            page = self.get(path, {**(query or {}), "offset": len(items), "limit": PAGE})
            items += page["items"]
            if not page["items"] or len(items) >= page["total"]:
                return items

    def send(self, method: str, path: str, body: Any, query: Query | None = None, key: str | None = None) -> Any:
        """Change something; `body` as JSON. With a `key` of the caller's own, once however often it is sent."""
        content = json.dumps(body).encode()
        return self._decoded(self._ask(method, path, query, content, "application/json", key))

    def upload(self, path: str, content: bytes, media_type: str, query: Query, key: str | None = None) -> Any:
        """Hand in a file."""
        return self._decoded(self._ask("POST", path, query, content, media_type, key))

    def download(self, path: str, query: Query | None = None) -> bytes:
        """A file as it is."""
        return self._ask("GET", path, query)

    def stream(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """A file too large to be held, in parts."""
        try:
            answer = self._pool.request("GET", self._address(path, query), headers=self._headers, preload_content=False)
            if answer.status >= 300:
                raise _refusal(answer.status, answer.data)
            yield from answer.stream(PART_BYTES)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer: {error}"[:MAX_SHOWN]) from error

    def _ask(
        self,
        method: str,
        path: str,
        query: Query | None,
        content: bytes | None = None,
        media_type: str | None = None,
        key: str | None = None,
    ) -> bytes:
        given = {"Content-Type": media_type, "Idempotency-Key": key}
        headers = {**self._headers, **{name: value for name, value in given.items() if value}}
        try:
            answer = self._pool.request(method, self._address(path, query), body=content, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(f"{self.url} does not answer: {error}"[:MAX_SHOWN]) from error
        if answer.status >= 300:
            raise _refusal(answer.status, answer.data)
        return answer.data

    def _address(self, path: str, query: Query | None) -> str:
        given = {name: _word(value) for name, value in (query or {}).items() if value is not None}
        return f"{self.url}{PREFIX}{quote(path)}" + (f"?{urlencode(given, doseq=True)}" if given else "")

    def _decoded(self, content: bytes) -> Any:
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise Unreachable(f"{self.url} answers, but not as Lamplighter does") from error


def _word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _refusal(status: int, content: bytes) -> Refused:
    """Of a problem document (RFC 9457); of whatever stands between us and the controller, its status."""
    try:
        document = json.loads(content)
        mistakes = tuple(Mistake(one["field"], one["detail"]) for one in document.get("errors", ()))
        return Refused(status, document["detail"], mistakes)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refused(status, f"answered {status}: {content[:MAX_SHOWN].decode(errors='replace')}")
