"""Metrics as Prometheus reads them (text format 0.0.4), on loopback."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from lamplighter_contract.wire.documents import Health

REQUEST_TIMEOUT_S: Final = 5.0
REQUEST_BYTES: Final = 8192
_BUS_GAUGES: Final = ("connected", "devices", "silent", "cycle_s", "utilisation")
_BUS_COUNTERS: Final = ("requests", "timeouts", "crc_errors", "exceptions", "refused")


Render = Callable[[], Awaitable[str]]


def render(health: Health, *, uplink: bool) -> str:
    """The exposition of one moment."""
    lines = [
        *_metric("uplink_connected", "gauge", [("", int(uplink))]),
        *_metric("spool_waiting_frames", "gauge", [("", health.spool.waiting)]),
        *_metric("spool_bytes", "gauge", [("", health.spool.bytes)]),
        *_metric("spool_dropped_frames_total", "counter", [("", health.spool.dropped)]),
        *_metric("spool_ok", "gauge", [("", int(health.spool.state == "ok"))]),
        *_metric("disk_free_bytes", "gauge", [("", health.disk_free_bytes or 0)]),
        *_metric("rss_bytes", "gauge", [("", health.rss_bytes or 0)]),
    ]
    for names, kind, end in ((_BUS_GAUGES, "gauge", ""), (_BUS_COUNTERS, "counter", "_total")):
        for name in names:
            values = [(f'{{bus="{bus.bus}"}}', float(getattr(bus, name))) for bus in health.buses]
            lines += _metric(f"bus_{name}{end}", kind, values)
    refusals = [(bus.bus, reason, count) for bus in health.buses for reason, count in bus.refusals.items()]
    values = [(f'{{bus="{bus}",reason="{reason}"}}', float(count)) for bus, reason, count in refusals]
    lines += _metric("bus_refusals_total", "counter", values)
    counts = [(f'{{what="{name}"}}', count) for name, count in health.counters.items()]
    lines += _metric("events_counted_total", "counter", counts)
    return "\n".join(lines) + "\n"


async def serve(host: str, port: int, text: Render) -> asyncio.Server:
    """Answer every GET with the metrics.

    Raises:
        OSError: the port is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                await reader.readuntil(b"\r\n\r\n")
                body = (await text()).encode()
                head = (
                    f"HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=REQUEST_BYTES)


def _metric(name: str, kind: str, values: Iterable[tuple[str, float]]) -> list[str]:
    full = f"lamplighter_gateway_{name}"
    return [f"# TYPE {full} {kind}", *(f"{full}{labels} {value:g}" for labels, value in values)]
