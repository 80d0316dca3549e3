"""What the page does: lists, reads, lets blink, lights, takes the walk's answers; everything else is out of its reach.

Levels and blinking go the way of every local request: with the person's name, past no lock, into the events for the
centre, and full light ends by itself.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import quote

from lamplighter_contract.clock import Clock
from lamplighter_contract.quantities import Kind
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.page import pages
from lamplighter_gateway.commissioning.page.access import Access, Session
from lamplighter_gateway.commissioning.page.certificate import Certificate, certificate
from lamplighter_gateway.commissioning.page.http import Asked, Reply, serve
from lamplighter_gateway.commissioning.page.pages import Line, Stage
from lamplighter_gateway.commissioning.page.words import WORDS
from lamplighter_gateway.commissioning.walk.desk import WalkDesk
from lamplighter_gateway.config.model import LocalPage
from lamplighter_gateway.control import Answer, Handle, Request
from lamplighter_gateway.light.actuator import Actuator
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.safety.holds import Holds
from lamplighter_gateway.uplink.pace import Pace

log = logging.getLogger(__name__)

CODE_FILE: Final = "page.code"
CODE_DIGITS: Final = 8
FULL_PERCENT: Final = 100
FULL_MIN: Final = 5
BLINK_S: Final = 20
RETRY_S: Final = 30.0
ACTS_PER_S: Final = 2.0  # of all visitors together
ACTS_BURST: Final = 20.0
SESSION: Final = "lamplighter"
LANGUAGE: Final = "language"
NAME_LENGTH: Final = 40
_OPEN: Final = frozenset({"/style.css", "/language", "/login"})


class Page:
    """The page of one gateway."""

    def __init__(
        self,
        gateway: str,
        at: LocalPage,
        data: Path,
        registry: Registry,
        actuator: Actuator,
        holds: Callable[[], Holds],
        desk: WalkDesk,
        local: Handle,
        clock: Clock,
    ) -> None:
        """`local` takes requests as the control socket does."""
        self._gateway, self._at, self._data, self._clock = gateway, at, data, clock
        self._registry, self._actuator, self._holds, self._desk, self._local = registry, actuator, holds, desk, local
        self._access = Access("", lambda: secrets.token_urlsafe(24))
        self._pace = Pace(ACTS_PER_S, ACTS_BURST)
        self._certificate: Certificate | None = None
        self.port = 0

    async def run(self) -> NoReturn:
        """Serve until cancelled; a port that is taken is waited for."""
        failed = False
        while True:
            try:
                if self._certificate is None:
                    self._certificate = await asyncio.to_thread(certificate, self._data, self._gateway)
                    self._access.code = await asyncio.to_thread(access_code, self._data)
                server = await serve(self._at.host, self._at.port, self._certificate.context, self.answer)
            except OSError as error:
                if not failed:
                    log.error("no local page: %s:%d (%s); trying again", self._at.host, self._at.port, error)  # noqa: TRY400 - a person's mistake, no trace wanted
                failed = True
                await asyncio.sleep(RETRY_S)
                continue
            self.port = server.sockets[0].getsockname()[1]
            log.info("local page on port %d, certificate SHA-256 %s", self.port, self._certificate.fingerprint)
            try:
                await server.serve_forever()
            finally:
                server.close()

    async def about(self, _request: Request, _user: str) -> Answer:
        """What an installer needs to open it."""
        if self._certificate is None or not self.port:
            return {"error": "the local page is not open yet"}
        return {
            "host": self._at.host,
            "port": self.port,
            "fingerprint": self._certificate.fingerprint,
            "code": self._access.code,
        }

    async def answer(self, asked: Asked) -> Reply:
        """One request of a browser."""
        now_s = self._clock.monotonic_s()
        session = self._access.session(asked.cookies.get(SESSION, ""), now_s)
        stage = Stage(self._gateway, _language(asked), session)
        if session is None or asked.path in _OPEN:
            return self._outside(asked, stage, now_s)
        if asked.method != "POST":
            return await self._show(asked, stage, session)
        if asked.fields.get("form") != session.form:
            return Reply(403, pages.login(stage))
        if not self._pace.take(now_s):
            return Reply(429, pages.devices(replace(stage, told=_said(stage, "slowly")), (), ""))
        return await self._act(asked, stage, session)

    def _outside(self, asked: Asked, stage: Stage, now_s: float) -> Reply:
        """What everybody gets: the way in, and nothing of the devices."""
        if asked.path == "/style.css":
            return Reply(body=pages.STYLE, kind="text/css; charset=utf-8")
        if asked.path == "/language":
            return Reply(303, to="/", cookie=f"{LANGUAGE}={_word(asked.query.get('to'))}; Max-Age=31536000")
        if asked.path == "/login" and asked.method == "POST":
            return self._enter(asked, stage, now_s)
        return Reply(200 if asked.path == "/" else 401, pages.login(stage))

    def _enter(self, asked: Asked, stage: Stage, now_s: float) -> Reply:
        name = " ".join(asked.fields.get("name", "").split())[:NAME_LENGTH]
        if self._access.barred(asked.peer, now_s):
            return Reply(
                429, pages.login(replace(stage, told=_said(stage, "barred"))), headers=(("Retry-After", "300"),)
            )
        code = asked.fields.get("code", "")
        session = self._access.enter(asked.peer, name if name.isprintable() else "", code, now_s)
        if session is None:
            log.warning("local page: a wrong code from %s", asked.peer)
            return Reply(401, pages.login(replace(stage, told=_said(stage, "wrong"))))
        return Reply(303, to="/", cookie=f"{SESSION}={session.token}")

    async def _show(self, asked: Asked, stage: Stage, session: Session) -> Reply:
        stage = replace(stage, told=asked.query.get("told", "")[:200])
        if asked.path == "/leave":
            self._access.leave(session.token)
            return Reply(303, to="/")
        if asked.path == "/walk":
            return await self._walk(stage)
        if asked.path == "/device":
            return await self._device(asked.query.get("id", ""), stage)
        if asked.path != "/":
            return Reply(404, pages.devices(stage, (), ""))
        search = asked.query.get("q", "").strip().lower()
        found = [device for device in self._registry.entries if search in device]
        return Reply(body=pages.devices(stage, self._lines(found, stage), search))

    async def _device(self, device: str, stage: Stage) -> Reply:
        entry = self._registry.entries.get(device)
        if entry is None:
            return Reply(404, pages.devices(stage, (), ""))
        read = await self._local({"do": "read", "device": device}, _who(stage))
        (line,) = self._lines([device], stage)
        lamp = entry.kind is Kind.LAMP
        return Reply(body=pages.device(stage, line, read.get("values", {}), str(read.get("error", "")), lamp=lamp))

    async def _walk(self, stage: Stage) -> Reply:
        state = await self._desk.handle({"step": "state"}, _who(stage))
        if not state.get("running"):
            return Reply(body=pages.walk(stage, "", "", _said(stage, "no_walk")))
        lamp = self._desk.blinking or str(state["next"] or "")
        if not lamp:
            return Reply(body=pages.walk(stage, "", "", _said(stage, "walk_done")))
        progress = _said(stage, "progress", answered=state["answered"], lamps=state["lamps"])
        return Reply(body=pages.walk(stage, lamp, str(state["expected"].get(lamp, "")), progress))

    async def _act(self, asked: Asked, stage: Stage, session: Session) -> Reply:
        """The few things a crew may do; nothing else has a name here."""
        device, who, do = asked.fields.get("device", ""), _who(stage), asked.fields.get("do", "")
        if asked.path == "/walk" and do in ("yes", "pole", "nothing"):
            pole = None if do == "nothing" else asked.fields.get("pole", "").strip()
            done = await self._desk.handle({"step": "saw", "device": device, "pole": pole}, who)
            said = _said(stage, "kept", device=device)
        elif do in ("blink", "start"):
            done = await self._desk.handle({"step": "blink", "device": device, "seconds": BLINK_S}, who)
            said = _said(stage, "blinks", device=device)
        elif do == "full" and asked.path == "/do":
            wish = {"do": "write", "device": device, "level_percent": FULL_PERCENT, "minutes": FULL_MIN}
            done = await self._local(wish, who)
            said = _said(stage, "lights", device=device, outcome=done.get("outcome", ""))
        else:
            return Reply(404, pages.devices(replace(stage, session=session), (), ""))
        if "error" in done:
            said = _said(stage, "failed", device=device, why=done["error"])
        back = "/walk" if asked.path == "/walk" else f"/device?id={quote(device)}"
        return Reply(303, to=f"{back}{'&' if '?' in back else '?'}told={quote(said[:200])}")

    def _lines(self, devices: Iterable[str], stage: Stage) -> list[Line]:
        held = {hold.device: hold.kind.value for hold in self._holds().all()}
        silent = {device for driver in self._registry.drivers.values() for device in driver.status().silent}
        locked = self._holds().holders()
        return [
            Line(one, self._state(one, stage, silent=one in silent), held.get(one, "locked" if one in locked else ""))
            for one in devices
        ]

    def _state(self, device: str, stage: Stage, *, silent: bool) -> str:
        shown = self._actuator.shown.get(device)
        level = shown.level_percent if shown is not None else None
        if silent:
            return _said(stage, "silent")
        if level is None:
            return _said(stage, "unknown")
        return _said(stage, "lit", level=level) if level > 0 else _said(stage, "off")


def access_code(folder: Path) -> str:
    """The code in the data folder, made where there is none; it is given to crews by whoever may read that folder.

    Raises:
        OSError: the folder cannot be read or written.
    """
    path = folder / CODE_FILE
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("".join(str(secrets.randbelow(10)) for _ in range(CODE_DIGITS)))
    return path.read_text("ascii").strip()


def _who(stage: Stage) -> str:
    return f"page:{stage.session.name}" if stage.session is not None else "page"


def _language(asked: Asked) -> Language:
    return Language(_word(asked.cookies.get(LANGUAGE)))


def _word(value: str | None) -> str:
    return value if value in {str(one) for one in Language} else Language.ZH.value


def _said(stage: Stage, name: str, **values: object) -> str:
    return WORDS[stage.language][name].format(**values)
