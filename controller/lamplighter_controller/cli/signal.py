"""`lamplighter signal`: what sensors, counters and the weather say, and telling it by hand."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.table import table

SIGNAL = click.argument("signal")


@click.group()
def signal() -> None:
    """Light, traffic, fog: what rules of plans listen to."""


@signal.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """What every signal says now, and what gateways were told of it."""
    found = session.api.get("/signal-values")
    tell(found, as_json=as_json, lines=lambda: _signals(session, found["items"]))


@signal.command()
@SIGNAL
@click.argument("value", type=click.FloatRange(0))
@click.option("--sensor", required=True, help="As the signal names it.")
@as_json
@asks
def say(session: Session, signal: str, value: float, sensor: str, as_json: bool) -> None:
    """Say what a sensor measured (lux) or a counter counted since its last report (vehicles)."""
    _tell(session, signal, {"sensor": sensor, "value": value}, as_json=as_json)


@signal.command()
@SIGNAL
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="How long; else as the signal says.")
@as_json
@asks
def fog(session: Session, signal: str, state: str, hours: float | None, as_json: bool) -> None:
    """Say that there is fog, or that it is over; it ends by itself."""
    said = {"value": float(state == "on"), **({"for_s": hours * 3600} if hours else {})}
    _tell(session, signal, said, as_json=as_json)


def _tell(session: Session, signal: str, said: Mapping[str, Any], *, as_json: bool) -> None:
    found = session.api.send("POST", f"/signals/{signal}/inputs", {"inputs": [said]})
    tell(found, as_json=as_json, lines=lambda: _signals(session, [found]))


def _signals(session: Session, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (one["id"], one["of"], one["value"], session.time(one["until_ms"]), one["told_value"], one["silent"])
        for one in found
    ]
    yield from table(("signal", "of", "says", "until", "gateways were told", "why nothing"), rows)
    for one in found:
        yield from (f"  {one['id']}: {sensor} is broken: {what}" for sensor, what in one["broken"].items())
