"""From a frame on a terminal's socket to a package that anybody can verify: terminal, gateway, broker, controller."""

import asyncio
import contextlib
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest

from lamplighter_contract.clock import CivilScale, SystemClock, encode_scale
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, read_frame
from tests.gateway.drivers.jt808.terminal import PHONE, Terminal
from tests.system.process import free_port
from tests.system.servers import Mosquitto
from tests.system.world_api import Api, eventually
from tests.system.world_programs import Controller, Gateway

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
ZONE = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 5, 11, 10, 0, tzinfo=ZONE)
RATE = 5.0
STEP_S = 0.4
FAST_KMH = 75.0
DEGREES_PER_STEP = FAST_KMH / 3.6 * STEP_S * RATE / 89_200  # of longitude at Jinan
FOUND_S = 60.0
ASKED = {"reason": "test of evidence"}
SQUARE = [[116.9, 36.5], [117.4, 36.5], [117.4, 36.8], [116.9, 36.8], [116.9, 36.5]]
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 400


class Centre(Controller):
    """A controller that may take its time to start."""

    start_timeout_s: ClassVar = 120.0


class Box(Gateway):
    """A gateway that may."""

    start_timeout_s: ClassVar = 120.0


class Yard:
    """One truck's terminal, one gateway, a broker and a controller."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        wall_ms = SystemClock().wall_ms()
        self.clock = SystemClock(CivilScale(RATE, round(MORNING.timestamp() * 1000), wall_ms))
        clock_file = folder / "clock.json"
        clock_file.write_bytes(encode_scale(self.clock.scale))
        broker = Mosquitto()
        stack.callback(broker.close)
        broker.start()
        self.controller = Centre({"clock": str(clock_file), "enrolled": ["gw-1"], "broker": {"port": broker.port}})
        stack.callback(self.controller.close)
        self.controller.start()
        self.api = Api(self.controller.url, self.controller.token)
        stack.callback(self.api.close)
        self.port = free_port()
        self.gateway = Box(
            {
                "gateway": "gw-1",
                "profiles": str(PROFILES),
                "clock": str(clock_file),
                "root_key": self.controller.root_key,
                "uplink": {"host": "127.0.0.1", "port": broker.port},
                "trucks": {"frames_h": 24, "frames_mib": 16},
                "buses": [{"id": "trackers", "wire": "jt808", "host": "127.0.0.1", "port": self.port}],
                "devices": [{"id": "truck-1", "bus": "trackers", "profile": "zt-8f", "address": PHONE}],
            }
        )
        stack.callback(self.gateway.close)
        self.gateway.start()

    def on_record(self) -> None:
        """What a city knows before it judges anybody."""
        put = {
            "companies": {"id": "red", "name": "红运渣土"},
            "trucks": {
                "id": "truck-1",
                "plate": "鲁A10017",
                "company": "red",
                "device": "truck-1",
                "installation": "installed 2026-01-10, seal 4711",
                "calibration": "speed checked 2026-04-02, +0.4 km/h",
            },
        }
        for name, thing in put.items():
            self.api.ask("PUT", f"/fleet/{name}", params=ASKED, json=thing)
        zone = {
            "id": "school",
            "kind": "speed",
            "name": "学校区域",
            "limit_kmh": 40,
            "basis": "Decree 12 of 2025, article 3",
            "outline": json.dumps({"type": "Polygon", "coordinates": [SQUARE]}),
        }
        self.api.ask("PUT", "/fleet/places", params={**ASKED, "crs": "wgs84"}, json=zone)

    async def drive(self, steps: int, speed_kmh: float, east: float) -> float:
        """Report again and again; how far east it has come."""
        async with Terminal(self.port) as terminal:
            await terminal.log_in()
            for _ in range(steps):
                east += DEGREES_PER_STEP * speed_kmh / FAST_KMH
                time_ms = self.clock.civil_ms() // 1000 * 1000
                told = await terminal.report(time_ms, longitude=117.0 + east, speed_kmh=speed_kmh)
                assert told["result"] == 0
                await asyncio.sleep(STEP_S)
        return east

    def violations(self) -> list[dict[str, object]]:
        """What was found so far."""
        found: list[dict[str, object]] = self.api.get("/fleet/violations", **{"class": "overspeed"})["items"]
        return found

    def act(self, violation: str, act: str, **body: object) -> dict[str, object]:
        """A person takes a step."""
        done: dict[str, object] = self.api.ask(
            "POST", f"/fleet/violations/{violation}/{act}", json={"reason": "looked at", **body}
        )
        return done

    def verify(self, file: Path, *more: str) -> subprocess.CompletedProcess[str]:
        """As an inspector does, with no server to ask."""
        words = ["-c", "from lamplighter_controller.cli.lamplighter import main; main()"]
        command = [sys.executable, *words, "--url", "http://127.0.0.1:1", "violation", "verify", str(file), *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    reason = Mosquitto.missing()
    if reason:
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        yield Yard(tmp_path, stack)


def test_a_violation_is_proven_from_the_frame_to_the_package(yard: Yard) -> None:
    yard.on_record()
    eventually(lambda: yard.api.get("/devices", kind="truck")["items"], FOUND_S, "the truck is adopted")
    east = asyncio.run(yard.drive(20, FAST_KMH, 0.0))
    eventually(yard.violations, FOUND_S, "the truck is found too fast")
    asyncio.run(yard.drive(40, 20.0, east))
    [found] = eventually(
        lambda: [one for one in yard.violations() if one["last_ms"] is not None], FOUND_S, "the episode is over"
    )
    violation = str(found["id"])
    assert (found["place"], found["state"]) == ("school", "candidate")

    yard.act(violation, "evidence/collect")
    proof = eventually(
        lambda: (now := yard.api.get(f"/fleet/violations/{violation}/evidence"))["parts"] and now,
        FOUND_S,
        "raw frames have come up",
    )
    assert [one["name"] for one in proof["parts"]] == ["frames.jsonl"]
    photo = yard.api.ask(
        "POST",
        f"/fleet/violations/{violation}/photos",
        params={"source": "drone", "note": "from the bridge"},
        content=PHOTO,
        headers={"content-type": "image/jpeg"},
    )
    assert photo["sha256"] == hashlib.sha256(PHOTO).hexdigest()
    yard.act(violation, "review", valid=True)
    yard.act(violation, "notify", to="dispatcher")
    made = yard.act(violation, "packages")
    assert made["missing"] == []

    file = yard.folder / "evidence.zip"
    file.write_bytes(_package(yard, violation, 1))
    root = yard.folder / "root.pub"
    root.write_text(yard.controller.root_key)
    _holds_everything(file)
    checked = yard.verify(file, "--key", str(root))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "signed by a key that yours vouches for" in checked.stdout
    assert "WHO signed is not proven" in yard.verify(file).stdout

    altered = bytearray(file.read_bytes())
    altered[bytes(altered).index(b"Decree 12")] ^= 1
    forged = yard.folder / "forged.zip"
    forged.write_bytes(bytes(altered))
    refused = yard.verify(forged, "--key", str(root))
    assert refused.returncode == 1
    assert "violation.json" in refused.stdout

    audit = yard.api.get("/audit", subject=f"violation:{violation}")["items"]
    anchor = next(row for row in audit if row["action"] == "violation.package")
    assert (anchor["number"], anchor["detail"]["manifest_sha256"]) == (made["audit_number"], made["manifest_sha256"])
    assert yard.api.ask("POST", "/audit/verify")["whole"]
    yard.act(violation, "hand-over", to="bureau", package=made["sha256"])
    [handed] = yard.api.get("/fleet/cases/export")["items"]
    assert (handed["plate"], handed["legal_basis"]) == ("鲁A10017", "Decree 12 of 2025, article 3")
    assert handed["package_sha256"] == made["sha256"]
    rows = [{"violation": violation, "case_number": "2026-17", "outcome": "penalty", "amount_yuan": 2000}]
    for steps in (2, 0):
        brought = yard.api.ask("POST", "/fleet/cases/import", params=ASKED, json=rows)
        assert (brought["steps"], brought["mistakes"]) == (steps, [])
    [share] = [one for one in yard.api.get("/fleet/cases/statistics")["items"] if one["class"] == "overspeed"]
    assert (share["valid"], share["invalid_share"]) == (1, 0.0)


def _package(yard: Yard, violation: str, number: int) -> bytes:
    answer = yard.api._http.get(f"/fleet/violations/{violation}/packages/{number}")
    assert answer.status_code == 200
    return answer.content


def _holds_everything(file: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    facts = json.loads(parts["violation.json"])
    assert facts["place"]["basis"] == "Decree 12 of 2025, article 3"
    assert facts["truck"]["calibration"].startswith("speed checked")
    assert facts["quality"]["with_fix"] == facts["quality"]["reports"] > 20
    assert [one["op"] for one in facts["commands"]] == ["truck.evidence"]
    head, *lines = [json.loads(line) for line in parts["frames.jsonl"].splitlines()]
    frames = [read_frame(bytes.fromhex(line["frame"])[1:-1]) for line in lines]
    assert head["frames"] == len(frames) > 20
    assert abs(head["clock_offset_ms"]) < 20_000
    assert all(isinstance(frame, Frame) and frame.header.phone == PHONE for frame in frames)
    assert 0x0102 not in {frame.header.message for frame in frames if isinstance(frame, Frame)}
    assert "鲁A10017".encode() in parts["zh.html"]
    assert b"overspeed" in parts["en.html"]
    assert [name for name in parts if name.startswith("photos/")] == ["photos/01-drone.jpg"]
    assert parts["track.csv"].startswith(b"time_ms,time,")
