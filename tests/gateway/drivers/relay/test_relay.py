"""A feed of another platform over real sockets: what is taken, once, and what is refused with its reason."""

import asyncio
import contextlib
import json
import time

import httpx
import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.quality import Quality
from lamplighter_gateway.assembly import entry
from lamplighter_gateway.config.model import Device, RelayServer
from lamplighter_gateway.drivers.port import Outcome, Point, ReadFailed, Trackers, Write
from lamplighter_gateway.drivers.relay.bus import RelayBus
from lamplighter_gateway.drivers.relay.feed import MOST_BYTES, MOST_POSITIONS, signature
from lamplighter_gateway.uplink.pace import Pace
from tests.gateway.drivers.rig import PROFILES, until

SECRET = b"between two platforms"
PLATE = "鲁A12345"


def now_ms():
    return time.time_ns() // 1_000_000


def position(truck=PLATE, **changes):
    place = {"truck": truck, "time": now_ms(), "latitude": 36.65, "longitude": 117.12, "speed_kmh": 42.5}
    return place | {"load": "full"} | changes


class Feed:
    """A running bus, what became durable, and the other platform's client."""

    def __init__(self, folder):
        self.folder = folder
        self.stored, self.kept, self.full = [], [], False
        self.devices = [Device("truck-1", "vendor-a", PROFILES["truck-relay"], address=PLATE)]

    @contextlib.asynccontextmanager
    async def running(self):
        server = RelayServer("vendor-a", "127.0.0.1", 0, self.folder / "secret")
        self.bus = RelayBus(server, self.devices, SystemClock(), SECRET, self.folder / "relay" / "vendor-a.json")
        self.bus.attach(self.store, self.keep, lambda _device: None)
        task = asyncio.create_task(self.bus.run(), name="relay")
        try:
            await until(lambda: self.bus.status().connected)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.bus.port}", timeout=30) as self.client:
                yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def store(self, readings):
        if self.full:
            return False
        self.stored += readings
        return True

    async def keep(self, device, brought):
        self.kept.append((device, brought.event, dict(brought.detail)))
        return True

    async def post(self, *positions, sequence=1, secret=SECRET, **head):
        about = {"feed": "vendor-a", "sequence": sequence, "sent": now_ms(), "positions": list(positions)}
        return await self.bytes(json.dumps(about | head).encode(), secret)

    async def bytes(self, body, secret=SECRET):
        headers = {"X-Lamplighter-Signature": signature(secret, body)}
        return await self.client.post("/v1/positions", content=body, headers=headers)

    @property
    def refusals(self):
        return dict(self.bus.status().refusals)


@pytest.fixture
async def feed(tmp_path):
    async with Feed(tmp_path).running() as feed:
        yield feed


async def test_a_signed_part_is_stored_and_its_truck_can_only_be_looked_at(feed):
    answer = await feed.post(position(), position(time=now_ms() - 600_000))
    assert (answer.status_code, answer.json()) == (200, {"sequence": 1, "stored": 2, "refused": []})
    new, old = feed.stored
    assert (new.device, new.values["latitude"], new.values["load"], new.values["fix"]) == (
        "truck-1",
        36.65,
        "full",
        True,
    )
    assert (new.quality & Quality.STALE, old.quality & Quality.STALE) == (0, Quality.STALE)
    assert isinstance(feed.bus, Trackers)
    assert isinstance(await feed.bus.read("truck-1", 1), ReadFailed)
    write = Write("truck-1", Point.SPEED_LIMIT, 40, 1.0)
    [written] = await feed.bus.write([write], lambda _device: None, broadcast=False)
    assert (written.outcome, written.answered) == (Outcome.FAILED, False)
    assert written.reason.startswith("view only")
    told = entry(feed.devices[0])
    assert (told.view_only, told.capabilities) == (True, ())


async def test_a_part_that_comes_twice_is_stored_once(feed):
    body = json.dumps({"feed": "vendor-a", "sequence": 7, "sent": now_ms(), "positions": [position()]}).encode()
    first, again = await feed.bytes(body), await feed.bytes(body)
    assert (first.json()["stored"], again.json()) == (1, {"sequence": 7, "repeated": True})
    assert len(feed.stored) == 1
    assert feed.refusals == {"repeated": 1}


async def test_what_was_taken_is_known_after_a_restart(tmp_path):
    body = json.dumps({"feed": "vendor-a", "sequence": 7, "sent": now_ms(), "positions": [position()]}).encode()
    async with Feed(tmp_path).running() as feed:
        assert (await feed.bytes(body)).status_code == 200
    async with Feed(tmp_path).running() as feed:
        assert (await feed.bytes(body)).json() == {"sequence": 7, "repeated": True}
        stale = await feed.post(position(), sequence=6)
        assert (stale.status_code, stale.json()["highest"]) == (409, 7)
        assert feed.stored == []


async def test_nothing_is_confirmed_before_it_is_durable(feed):
    feed.full = True
    assert (await feed.post(position())).status_code == 503
    feed.full = False
    assert (await feed.post(position())).json()["stored"] == 1


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"secret": b"another"}, 401, "signature"),
        ({"feed": "vendor-b"}, 403, "address"),
        ({"sent": 1_763_650_000_000}, 403, "clock"),
        ({"sequence": 0}, 400, "out-of-bounds"),
        ({"sequence": "one"}, 400, "malformed"),
        ({"positions": [{}] * (MOST_POSITIONS + 1)}, 413, "too-large"),
    ],
)
async def test_a_part_that_is_not_right_is_refused_and_counted(feed, changes, status, reason):
    answer = await feed.post(position(), **changes)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert feed.refusals == {reason: 1}
    assert feed.stored == []
    assert (await feed.post(position())).status_code == 200


async def test_one_bad_position_costs_itself_alone(feed):
    wrong = [
        position(latitude=361.0),
        position(time=None),
        position(time=17),
        "none",
        position("鲁B0"),
        position("鲁B0"),
    ]
    answer = await feed.post(*wrong, position(), position(fix=False))
    told = answer.json()
    assert told["stored"] == 2
    assert [one["reason"] for one in told["refused"]] == [
        "out-of-bounds",
        "absurd-time",
        "absurd-time",
        "malformed",
        "unknown-device",
        "unknown-device",
    ]
    assert "latitude" not in feed.stored[1].values
    stranger = {"bus": "vendor-a", "wire": "relay", "truck": "鲁B0"}
    assert feed.kept == [("", "truck.stranger", stranger)]
    assert list(feed.bus.strangers()) == [stranger]


async def test_what_is_too_long_or_no_http_ends_its_connection_alone(feed):
    long = b"{" + b" " * MOST_BYTES + b"}"
    assert (await feed.bytes(long)).json()["reason"] == "too-large"
    for rubbish in (b"\x7e\x02\x00 hello\r\n\r\n", b"POST /v1/positions HTTP/1.1\r\n" + b"x: y\r\n" * 5_000):
        reader, writer = await asyncio.open_connection("127.0.0.1", feed.bus.port)
        writer.write(rubbish)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(30):
                await reader.read()
        writer.close()
    await until(lambda: feed.refusals.get("malformed") == 2)
    assert (await feed.client.get("/")).status_code == 404
    assert (await feed.post(position())).status_code == 200


async def test_a_flood_of_parts_is_refused_beyond_its_pace(feed):
    feed.bus._pace = Pace(per_s=0.001, burst=3)
    answers = [(await feed.post(sequence=number)).status_code for number in range(1, 6)]
    assert answers == [200, 200, 200, 503, 503]
    assert feed.refusals == {"capacity": 2}
