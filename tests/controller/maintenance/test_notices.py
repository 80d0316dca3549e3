"""Notices: once, signed, again until they arrive; quiet at night but for danger; higher up when nobody acts."""

import asyncio
import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lamplighter_controller.maintenance.notices import forms
from lamplighter_controller.maintenance.notices.desk import NoticeDesk
from lamplighter_controller.maintenance.notices.notice import MOST_TRIES, Channel, Notice, Way, put_off_ms
from lamplighter_controller.maintenance.notices.sending import send
from tests.controller.api.world import LAMPS
from tests.controller.maintenance.yard import Yard

ZONE = ZoneInfo("Asia/Shanghai")
LEAK = {"reason": "sparks", "element": {"kind": "lamp", "id": LAMPS[0]}, "class_id": "leak", "severity": 5}
NOTICE = Notice("WO-1/opened/0", "opened", "WO-1", "lamp-1", "leak", 5, "east-1", 0, 1, "漏电", "a leak")


class Ear:
    """A channel that hears, or fails as the test says."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.error = ""

    async def __call__(self, channel: Channel, notice: Notice, wall_ms: int) -> str:
        if not self.error:
            self.heard.append((channel.id, notice.id))
        return self.error


def desk(yard: Yard, ear: Ear, *channels: Channel) -> NoticeDesk:
    return NoticeDesk(yard.room._around, channels, ear)


async def test_an_order_is_told_once_and_again_until_it_has_arrived(yard: Yard) -> None:
    ear = Ear()
    notices = desk(yard, ear, Channel("duty", Way.WEBHOOK, "http://x"))
    name = (await yard.ask("/orders", LEAK)).json()["id"]
    ear.error = "answered 503"
    await notices.look()
    await notices.look()
    [letter] = await notices.some(name, 10)
    assert (letter.tries, letter.error, letter.sent_ms) == (1, "answered 503", 0), "not before its time"
    yard.world.clock.advance(11)
    await notices.look()
    alarms = {one["key"] for one in (await yard.world.get("/alarms")).json()["items"]}
    assert "notices-duty" in alarms
    ear.error = ""
    yard.world.clock.advance(21)
    for _ in range(3):
        await notices.look()
    assert [one for one in ear.heard if "/opened/" in one[1]] == [("duty", f"{name}/opened/0")]


async def test_what_nobody_takes_goes_up_and_ends_when_somebody_does(yard: Yard) -> None:
    ear = Ear()
    chief = Channel("chief", Way.WECOM, "http://x", level=2)
    notices = desk(yard, ear, Channel("duty", Way.WEBHOOK, "http://x"), chief)
    name = (await yard.ask("/orders", LEAK)).json()["id"]
    for minutes in (0, 7, 7):
        yard.pass_civil(minutes)
        await notices.look()
    assert ear.heard == [
        ("duty", f"{name}/opened/0"),
        ("duty", f"{name}/untaken/0/1"),
        ("duty", f"{name}/untaken/0/2"),
        ("chief", f"{name}/untaken/0/2"),
    ]
    await yard.did(name, "take", crew="east-1")
    yard.pass_civil(60)
    await notices.look()
    assert len(ear.heard) == 4


async def test_a_channel_that_is_dead_is_given_up_at_last(yard: Yard) -> None:
    ear = Ear()
    ear.error = "gone"
    notices = desk(yard, ear, Channel("duty", Way.WEBHOOK, "http://x"))
    name = (await yard.ask("/orders", LEAK)).json()["id"]
    await notices.look()
    await yard.did(name, "take", crew="east-1")
    for _ in range(MOST_TRIES + 3):
        yard.world.clock.advance(3_700)
        await notices.look()
    [letter] = await notices.some(name, 10)
    assert (letter.tries, letter.is_given_up) == (MOST_TRIES, True)


@pytest.mark.parametrize(("hour", "priority", "waits_h"), [(23, 3, 8), (3, 3, 4), (12, 3, 0), (23, 5, 0), (7, 3, 0)])
def test_quiet_hours_wait_and_danger_does_not(hour: int, priority: int, waits_h: float) -> None:
    channel = Channel("duty", Way.MAIL, "smtp://x", quiet_from_h=22, quiet_until_h=7)
    now_ms = round(datetime(2026, 3, 5, hour, tzinfo=ZONE).timestamp() * 1000)
    notice = Notice("n", "opened", "WO-1", "l", "c", priority, "", 0, 1, "", "")
    assert put_off_ms(channel, notice, now_ms, "Asia/Shanghai") == waits_h * 3_600_000


def test_calls_are_for_danger_alone_and_a_crew_hears_of_its_own() -> None:
    mild = Notice("n", "opened", "WO-1", "l", "c", 4, "west-1", 0, 1, "", "")
    assert not Channel("call", Way.VOICE, "http://x").takes(mild)
    assert Channel("call", Way.VOICE, "http://x").takes(NOTICE)
    assert not Channel("duty", Way.WECOM, "http://x", crew="east-1").takes(mild)


def test_each_way_has_its_form() -> None:
    signed = forms.post(Channel("d", Way.WEBHOOK, "http://x", "key"), NOTICE, 7)
    assert signed.headers["X-Lamplighter-Signature"] == forms.signature("key", 7, signed.body)
    assert signed.headers["Idempotency-Key"] == "WO-1/opened/0"
    assert json.loads(forms.post(Channel("d", Way.WECOM, "http://x"), NOTICE, 7).body)["text"]["content"].startswith(
        "漏电"
    )
    dingtalk = forms.post(Channel("d", Way.DINGTALK, "http://x?access_token=a", "key"), NOTICE, 7)
    assert dingtalk.url.startswith("http://x?access_token=a&timestamp=7&sign=")
    sms = json.loads(forms.post(Channel("d", Way.SMS, "http://x", to=("139",)), NOTICE, 7).body)
    assert (sms["to"], sms["text"], sms["id"]) == (["139"], "漏电", "WO-1/opened/0")
    letter = forms.mail(
        Channel("d", Way.MAIL, "smtp://x", sender="a@city.example", to=("b@c.example",)), NOTICE, "city.example"
    )
    assert letter["Message-ID"] == "<WO-1%2Fopened%2F0.d@city.example>"


@contextmanager
def robot(answer: bytes, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers everything so."""
    heard: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((dict(self.headers), json.loads(body)))
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("way", "status", "answer", "arrives"),
    [
        (Way.WEBHOOK, 200, b"", True),
        (Way.WEBHOOK, 500, b"", False),
        (Way.WECOM, 200, b'{"errcode": 0, "errmsg": "ok"}', True),
        (Way.DINGTALK, 200, b'{"errcode":310000,"errmsg":"sign not match"}', False),
    ],
)
async def test_over_http(way: Way, status: int, answer: bytes, arrives: bool) -> None:
    with robot(answer, status) as (url, heard):
        error = await send(Channel("d", way, url, "key"), NOTICE, 7)
    assert (error == "") == arrives, error
    assert len(heard) == 1


async def test_nobody_there_is_told_as_such() -> None:
    assert await send(Channel("d", Way.WEBHOOK, "http://127.0.0.1:9"), NOTICE, 7)
    assert await send(Channel("d", Way.MAIL, "smtp://127.0.0.1:9", sender="a@b.c", to=("d@e.f",)), NOTICE, 7)


async def test_over_smtp() -> None:
    """A mail server as small as can be."""
    got: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        lines: list[str] | None = None
        while line := (await reader.readline()).decode():
            if lines is not None and line != ".\r\n":
                lines.append(line)
                continue
            if lines is not None:
                got.append("".join(lines))
                lines = None
            word = line[:4].upper()
            if word == "DATA":
                lines = []
            writer.write({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        channel = Channel("d", Way.MAIL, f"smtp://127.0.0.1:{port}", sender="a@city.example", to=("b@c.example",))
        assert await send(channel, NOTICE, 7) == ""
    message = email.message_from_string(got[0])
    assert message["To"] == "b@c.example"
    assert "WO-1%2Fopened%2F0.d@city.example" in message["Message-ID"]
