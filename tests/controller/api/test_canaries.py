"""Canaries: secrets that are used in every way, and must show in no log, no answer and nothing that is kept."""

import logging
from pathlib import Path

import pytest

from tests.controller.api.people import ORIGIN
from tests.controller.api.world import World

CANARY = "canary-7f3a9c-sings-in-the-mine"


async def test_what_is_secret_is_nowhere(world: World, caplog: pytest.LogCaptureFixture, tmp_path: Path):
    caplog.set_level(logging.DEBUG)
    answers = []
    for headers in (
        {"Authorization": f"Bearer {CANARY}"},
        {"Authorization": f"Bearer x.{CANARY}"},
        {"Authorization": f"Basic {CANARY}"},
        {"Cookie": f"lamplighter_session={CANARY}"},
    ):
        paths = (("GET", "/clock"), ("POST", "/commands"), ("DELETE", "/session"), ("GET", "/nowhere"))
        answers += [await world.client.request(how, f"/api/v1{path}", headers=headers | ORIGIN) for how, path in paths]
    for body in (
        {"name": "li", "password": CANARY, "code": "1"},
        {"name": CANARY, "password": CANARY},
        {"name": "li", "password": CANARY, "more": 1},
        {"name": 7, "password": CANARY},
        {"password": CANARY},
    ):
        answers.append(await world.client.post("/api/v1/session/login", json=body))
    answers.append(await world.send("POST", "/session/password", {"old": CANARY, "new": CANARY}))
    answers.append(await world.client.post("/api/v1/enrolment", json={"gateway": "gw-1", "code": CANARY}))
    made = await world.send("POST", "/tokens", {"name": "new", "rights": ["read"], "reason": "test"})
    secret = made.json()["token"].partition(".")[2]
    shown = await world.get("/tokens", name="admin")
    trail = await world.get("/audit?limit=500", name="admin")
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for word in (CANARY, secret, world.secret["admin"].partition(".")[2], world.services.keys.signer.public.hex()):
        assert word not in caplog.text
        assert word.encode() not in kept
        assert not any(word in answer.text for answer in [*answers, shown, trail])


async def test_a_failure_tells_nothing(world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    def fails(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(type(world.services.twin), "entry", fails)
    answer = await world.get("/devices/lamp-01-001")
    assert answer.status_code == 500
    assert CANARY not in answer.text
    assert "admin" not in caplog.text
