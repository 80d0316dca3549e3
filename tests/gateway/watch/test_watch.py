"""What the gateway tells about itself."""

from dataclasses import replace

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.wire.documents import ClockState, Health, SpoolHealth
from lamplighter_contract.wire.limits import EARLIEST_TIME_MS
from lamplighter_gateway.drivers.port import BusStatus
from lamplighter_gateway.spool.frames import SpoolState, SpoolStatus
from lamplighter_gateway.watch import metrics
from lamplighter_gateway.watch.buses import BusWatch
from lamplighter_gateway.watch.clock_trust import clock_state, trusted
from lamplighter_gateway.watch.health import health
from tests.system.process import http_get

NOW = ManualClock().wall_ms()
UP = BusStatus("b", "modbus-tcp", True, 3, (), 1.23456, 0.5, 10, 2, 1, 0, 0, "")
DOWN = replace(UP, connected=False, silent=("l-1", "l-2"), last_error="refused")
SPOOL = SpoolStatus(SpoolState.FULL, 3, 100, 400, NOW, 7, 2, 9)


ONE_SILENT = replace(UP, silent=("l-1",))


@pytest.mark.parametrize(
    ("looks", "found"),
    [
        ([UP], []),
        ([UP, DOWN], [("bus.down", None)]),
        ([UP, DOWN, DOWN, UP, UP], [("bus.down", None), ("bus.up", None)]),
        ([UP, ONE_SILENT, UP], []),
        ([UP, ONE_SILENT, ONE_SILENT, ONE_SILENT], [("device.silent", "l-1")]),
        ([ONE_SILENT, ONE_SILENT, UP, UP], [("device.silent", "l-1"), ("device.answers", "l-1")]),
        ([DOWN, replace(DOWN, connected=True), UP], [("bus.up", None)]),
    ],
)
def test_a_lost_bus_is_one_event_and_a_lost_lamp_another(looks, found):
    watch = BusWatch()
    changes = [change for look in looks for change in watch.look({"b": look})]
    assert [(change.event, change.device) for change in changes] == found


@pytest.mark.parametrize(
    ("wall_ms", "known_ms", "good"),
    [
        (NOW, 0, True),
        (NOW, NOW + 299_000, True),
        (NOW, NOW + 301_000, False),
        (0, 0, False),
        (EARLIEST_TIME_MS, 0, True),
    ],
)
def test_a_clock_is_trusted_unless_it_was_never_set_or_stands_before_what_was_lived_through(wall_ms, known_ms, good):
    assert trusted(clock_state(wall_ms, known_ms)) is good


def test_health_tells_buses_spool_disk_and_memory(tmp_path):
    found = health(
        "boot",
        NOW,
        [replace(UP, silent=("l-1",), refusals=(("checksum", 4),))],
        SPOOL,
        ClockState("system", 1),
        {"x": 2},
        tmp_path,
    )
    assert (found.buses[0].silent, found.buses[0].cycle_s) == (1, 1.235)
    assert found.buses[0].refusals == {"checksum": 4}
    told = metrics.render(found, uplink=True)
    assert f'lamplighter_gateway_bus_refusals_total{{bus="{UP.bus}",reason="checksum"}} 4' in told
    assert found.spool == SpoolHealth(3, 400, NOW, 7, "full")
    assert found.disk_free_bytes
    assert found.rss_bytes


async def test_metrics_are_served_as_prometheus_reads_them(tmp_path):
    import asyncio

    found = Health("boot", NOW, (), SpoolHealth(3, 400, None, 7, "full"), counters={"frames_sent": 5})
    server = await metrics.serve("127.0.0.1", 0, lambda: asyncio.sleep(0, metrics.render(found, uplink=True)))
    port = server.sockets[0].getsockname()[1]
    body = await asyncio.to_thread(http_get, port, "/metrics")
    server.close()
    assert body is not None
    lines = body.decode().splitlines()
    assert "lamplighter_gateway_spool_waiting_frames 3" in lines
    assert "lamplighter_gateway_spool_ok 0" in lines
    assert 'lamplighter_gateway_events_counted_total{what="frames_sent"} 5' in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
