"""What the person at the terminal sees."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import click

RULE: Final = "─" * 78


class Progress:
    """One line per step, with the seconds it took."""

    def __init__(self) -> None:
        """Begin counting."""
        self._began_s = time.monotonic()

    def step(self, text: str) -> None:
        """Say what is done."""
        click.echo(f"  {time.monotonic() - self._began_s:5.1f} s  {text}")


def civil(civil_ms: int, zone: str) -> str:
    """A civil time as people read it."""
    return f"{datetime.fromtimestamp(civil_ms / 1000, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def try_next(url: str, directory: str, programs: Sequence[str], rate: float) -> str:
    """One screen of what to try."""
    speed = f"{rate:g} times faster than yours" if rate != 1 else "as fast as yours"
    return f"""{RULE}
  The console is at

      {url}

  The city's clock runs {speed}. Try this:

  1  Click a lamp, pull its slider, press Send: sent, accepted, verified by read-back.
  2  Break a lamp and see what is known of it; `fault list` and `fault clear NUMBER` mend it:
       .venv/bin/lamplighter-sim fault add dead_lamp lamp-01-020 --directory {directory}/sim
  3  Ask a gateway how it fares, and read a lamp through it:
       .venv/bin/lamplighter-gateway status {directory}/gw-1.yaml
       .venv/bin/lamplighter-gateway read lamp-01-001 --data {directory}/gw-1
  4  Kill anything; it is started again, and what gateways could not send meanwhile follows:
       kill -9 $(cat {directory}/pids/centre)      # or {", ".join(programs)}
  5  Ask why a lamp has its level, what it will do tonight, what stands in the streets:
       export LAMPLIGHTER_URL={url.split("/#", maxsplit=1)[0]} LAMPLIGHTER_TOKEN_FILE={directory}/centre/admin.token
       .venv/bin/lamplighter lamp why lamp-01-001
       .venv/bin/lamplighter lamp tonight lamp-01-001
  6  Have a truck offend (overspeed, cover_open, dump_outside, ...), and look at it:
       .venv/bin/lamplighter-sim trucks offend truck-001 overspeed --directory {directory}/fleet
       .venv/bin/lamplighter-sim trucks see truck-001 --directory {directory}/fleet
  7  The API and how to call it: {url.split("#", maxsplit=1)[0]}docs

  Logs are in {directory}/logs, data in {directory}. Ctrl-C ends everything; the next
  `make run` goes on after this one's data; `make clean` forgets it.
{RULE}"""
