"""The proof of a night through the whole controller: real broker, DuckDB, SQLite, HTTP."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lamplighter_contract.clock import CivilScale, encode_scale
from lamplighter_contract.wire.topics import Up
from tests.controller.app.program import Controller, Gateway, gateway, now_ms, until
from tests.system.servers import Mosquitto

pytestmark = pytest.mark.system

NOON = datetime(2025, 11, 21, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR_MS = 3_600_000
QUARTER_MS = HOUR_MS // 4


@pytest.fixture
def broker(make_mosquitto) -> Mosquitto:
    found: Mosquitto = make_mosquitto(persistence=True)
    return found


def hour_ms(hour: float) -> int:
    """Hours after the noon at which the night began."""
    return round((NOON - timedelta(days=1)).timestamp() * 1000 + hour * HOUR_MS)


async def tell(gw: Gateway, seq: int, device: str, hours: tuple[float, float], power_w: float, lane: Up) -> int:
    """A lamp's power every quarter hour; returns the next number."""
    for time_ms in range(hour_ms(hours[0]), hour_ms(hours[1]), QUARTER_MS):
        await gw.send(seq, device, time_ms=time_ms, power_w=power_w, lane=lane)
        seq += 1
    return seq


async def test_a_night_is_proven_and_what_comes_late_is_judged_too(tmp_path: Path, broker: Mosquitto) -> None:
    clock = tmp_path / "clock.json"
    clock.write_bytes(encode_scale(CivilScale(60.0, round(NOON.timestamp() * 1000) + HOUR_MS, now_ms())))
    with Controller(tmp_path / "c", broker.port, f"clock: {clock}") as centre:
        async with gateway(broker.port) as gw, centre.client() as http:
            await gw.born("lamp-1", "lamp-2", "lamp-3")
            seq = await tell(gw, 1, "lamp-1", (4, 20), 60.0, Up.BACKLOG)
            seq = await tell(gw, seq, "lamp-2", (4, 20), 1.0, Up.BACKLOG)
            await until(lambda: len(gw.acked) == seq - 1)
            rates = (await http.get("/rates")).json()
            assert (rates["night"], rates["over"]) == ("2025-11-20", True)
            (city,) = rates["items"]
            assert (city["lamps"], city["dark_lamps"], city["unknown_lamps"]) == (3, 1, 1)
            assert city["reported_percent"] == pytest.approx(50, abs=0.5)
            assert city["worst_percent"] == pytest.approx(100 / 3, abs=0.5)
            assert city["best_percent"] == pytest.approx(200 / 3, abs=0.5)
            (silent,) = (await http.get("/rates/2025-11-20/list?state=unknown")).json()["items"]
            assert (silent["lamp"], silent["proof"]) == ("lamp-3", "none")

            last = await tell(gw, seq, "lamp-3", (4, 20), 60.0, Up.BACKLOG)
            await until(lambda: len(gw.acked) == last - 1)
            again = await http.post("/rates/2025-11-20/work-out", json={"reason": "backlog"})
            assert again.json()["passes"] == 2
            (city,) = (await http.get("/rates?night=2025-11-20")).json()["items"]
            assert city["worst_percent"] == city["best_percent"] == pytest.approx(200 / 3, abs=0.1)
            hours = (await http.get("/burning-hours")).json()["items"]
            assert [(one["lamp"], one["source"]) for one in hours] == [
                (f"lamp-{number}", "integrated") for number in (1, 2, 3)
            ]
        assert centre.stop() < 5
