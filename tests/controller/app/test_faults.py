"""The whole controller while its broker dies and its series store hangs."""

from pathlib import Path

import pytest

from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.frame import Envelope, events_body, seal
from lamplighter_contract.wire.topics import Up, up
from tests.controller.app.program import Controller, gateway, now_ms, until
from tests.system.servers import Mosquitto

pytestmark = [pytest.mark.system, pytest.mark.fault]


async def test_a_hung_influxdb_holds_up_readings_and_nothing_else(
    tmp_path: Path, mosquitto: Mosquitto, make_influxd
) -> None:
    influxd = make_influxd()
    series = f"series: {{url: 'influx+v1://127.0.0.1:{influxd.port}/city', timeout_s: 1}}"
    time_ms = now_ms()
    with Controller(tmp_path / "c", mosquitto.port, series, name="hung") as centre:
        async with gateway(mosquitto.port) as gw:
            await gw.born("lamp-1")
            await gw.send(1, "lamp-1", time_ms=time_ms)
            await until(lambda: gw.acked == {1})
            influxd.pause()
            await gw.send(2, "lamp-1", time_ms=time_ms + 1)
            event = Event("event-1", time_ms, "door", "lamp-1")
            frame = seal(events_body([event]), Envelope(3, gw.boot, time_ms))
            await gw.client.publish(up(gw.name, Up.URGENT), frame, 1)
            await until(lambda: gw.acked == {1, 3})
            await until(lambda: gw.centre and not gw.centre.storing)
            assert gw.acked == {1, 3}
            influxd.resume()
            await until(lambda: gw.acked == {1, 2, 3})
            await until(lambda: gw.centre and gw.centre.storing)
        assert centre.stop() < 5


async def test_a_hung_influxdb_does_not_hold_up_the_end(tmp_path: Path, mosquitto: Mosquitto, make_influxd) -> None:
    influxd = make_influxd()
    series = f"series: {{url: 'influx+v1://127.0.0.1:{influxd.port}/city', timeout_s: 60}}"
    with Controller(tmp_path / "c", mosquitto.port, series, name="ending") as centre:
        async with gateway(mosquitto.port, boot="boot-b") as gw:
            await gw.centre_after()
            await gw.born("lamp-1")
            influxd.pause()
            await gw.send(1, "lamp-1", time_ms=now_ms())
            log = centre.log
            await until(lambda: "alarm series" in log.read_text())
            assert centre.stop() < 6
            assert not gw.acked
    influxd.resume()


async def test_after_the_broker_was_killed_everybody_meets_again(tmp_path: Path, make_mosquitto) -> None:
    broker = make_mosquitto()
    with Controller(tmp_path / "c", broker.port):
        async with gateway(broker.port) as gw:
            await gw.born("lamp-1")
        broker.kill()
        broker.start()
        async with gateway(broker.port) as gw:
            await gw.born("lamp-1")
            await gw.send(1, "lamp-1", time_ms=now_ms())
            await until(lambda: gw.acked == {1})
            await until(lambda: any(str(message.topic).endswith("/keys") for message in gw.others))
