"""What is particular to InfluxDB: bad lines, the v2 write path, foreign points, errors and addresses."""

import secrets
from collections.abc import AsyncIterator, Sequence

import pytest
import urllib3

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.influx.http import LinesRefused
from lamplighter_controller.series.influx.refused import store_all_but
from lamplighter_controller.series.port import Aggregate, Series, SeriesRejected, SeriesUnavailable
from lamplighter_controller.series.settings import SeriesSettings
from tests.controller.series.columns import MIDNIGHT_MS, NOT_READ, readings, rows
from tests.system.process import free_port
from tests.system.servers import Influxd, VictoriaMetrics

T = MIDNIGHT_MS
A, B = "lamp-01-001", "lamp-01-002"

system = pytest.mark.system


@pytest.fixture
def database() -> str:
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
async def series(request: pytest.FixtureRequest, influxd: Influxd, database: str) -> AsyncIterator[Series]:
    url = f"influx+v1://127.0.0.1:{influxd.port}/{database}"
    opened = await open_series(SeriesSettings(url=url, gzip=request.param))
    yield opened
    await opened.close()


def _foreign(influxd: Influxd, database: str, line: str) -> None:
    url = f"{influxd.url}/write?db={database}&precision=ms"
    assert urllib3.request("POST", url, body=line.encode()).status == 204


@system
async def test_lines_the_server_refuses_are_named_and_the_others_stored(
    series: Series, influxd: Influxd, database: str
) -> None:
    await series.last(Kind.LAMP, 0)
    _foreign(influxd, database, f'lamp,device=x starts="many" {T}')
    count = 400
    starts = [NOT_READ] * count
    starts[7] = starts[300] = 5
    batch = readings([A] * count, list(range(T, T + count)), power_w=[1] * count, starts=starts)
    with pytest.raises(SeriesRejected, match="field type conflict") as caught:
        await series.write([batch, readings([B], [T], power_w=[2])])
    assert [(row.device, row.time_ms) for row in caught.value.rows] == [(A, T + 7), (A, T + 300)]
    found = await series.range(Kind.LAMP, [A, B], ["power_w", "starts"], T, T + count, 10_000)
    assert len(found.device) == count - 2 + 1


@system
async def test_points_of_other_writers_do_no_harm(series: Series, influxd: Influxd, database: str) -> None:
    await series.write([readings([A], [T], power_w=[1])])
    _foreign(influxd, database, f'lamp,device={B},site=north note="hello",fault_bits=7i,power_w=3 {T + 1}')
    _foreign(influxd, database, f"lamp power_w=3,not_a_quantity=1 {T + 2}")
    last = await series.last(Kind.LAMP, 0)
    assert rows(last) == [(A, T, 0, {"power_w": 1.0})]
    found = await series.range(Kind.LAMP, [A, B], ["power_w", "starts"], T, T + 10, 10)
    assert rows(found) == [(A, T, 0, {"power_w": 1.0}), (B, T + 1, 0, {"power_w": 3.0})]
    await series.maintain(T + 10**9)


@system
async def test_a_database_dropped_under_us_is_made_again(series: Series, influxd: Influxd, database: str) -> None:
    await series.write([readings([A], [T], power_w=[1])])
    urllib3.request("POST", f"{influxd.url}/query", fields={"q": f'DROP DATABASE "{database}"'})
    await series.write([readings([A], [T + 1], power_w=[2])])
    assert rows(await series.last(Kind.LAMP, 0)) == [(A, T + 1, 0, {"power_w": 2.0})]


@system
@pytest.mark.parametrize("gzip", [False, True])
async def test_the_v2_write_path_stores_every_value(victoria_metrics: VictoriaMetrics, gzip: bool) -> None:
    sensor = f"bin-{secrets.token_hex(6)}"
    url = f"influx+v2://127.0.0.1:{victoria_metrics.port}/lamps?org=city"
    series = await open_series(SeriesSettings(url=url, token="secret", gzip=gzip))
    batch = readings([sensor] * 3, [T, T + 1, T + 2], kind=Kind.SENSOR, fill_percent=[1.5, NOT_READ, 0.3])
    for _ in range(2):
        await series.write([batch])
    await series.close()
    exported = victoria_metrics.export(f'{{device="{sensor}"}}')
    stored = {each["metric"]["__name__"]: (each["timestamps"], each["values"]) for each in exported}
    assert stored == {
        "sensor_fill_percent": ([T, T + 2], [1.5, 0.3]),
        "sensor_quality": ([T, T + 1, T + 2], [0, 0, 0]),
    }


@system
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_nobody_there_is_unavailable(version: str) -> None:
    series = await open_series(SeriesSettings(url=f"influx+{version}://127.0.0.1:{free_port()}/city", timeout_s=1))
    with pytest.raises(SeriesUnavailable):
        await series.write([readings([A], [T], power_w=[1])])
    with pytest.raises(SeriesUnavailable):
        await series.windows(Kind.LAMP, [A], "power_w", T, T + 1, 1, Aggregate.MEAN)
    await series.close()


@pytest.mark.parametrize("bad", [(), (0,), (99,), (3, 4, 77), tuple(range(0, 100, 7))])
def test_bad_lines_are_found_by_halving(bad: Sequence[int]) -> None:
    lines = [f"line {number}\n".encode() for number in range(100)]
    stored: set[bytes] = set()

    def write(body: bytes) -> None:
        sent = body.splitlines(keepends=True)
        if any(lines[number] in sent for number in bad):
            raise LinesRefused("bad")
        stored.update(sent)

    assert store_all_but(write, lines) == dict.fromkeys(bad, "bad")
    assert stored == {line for number, line in enumerate(lines) if number not in bad}


def test_a_body_bad_all_through_is_given_up_in_bounded_work() -> None:
    requests = []

    def write(body: bytes) -> None:
        requests.append(body)
        raise LinesRefused("bad")

    lines = [b"x\n"] * 5000
    assert len(store_all_but(write, lines)) == len(lines)
    assert len(requests) < 500
