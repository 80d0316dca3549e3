"""`lamplighter-demo`: what `make run` runs."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.demo.layout import Layout
from lamplighter_firmware_sim.demo.run import Options, farewell, running_demo
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.loading import load_city

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--directory", type=_FOLDER, default=Path("run"), show_default=True, help="Data and logs.")
@click.option("--config", type=_FOLDER, default=Path("config"), show_default=True, help="Profiles and scenarios.")
@click.option("--scenario", "scenario_file", type=click.Path(dir_okay=False, path_type=Path), help="Another city.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True, help="Civil seconds a second."
)
@click.option("--http-port", type=click.IntRange(1, 65_535), help="Default: 8080, or the next free one.")
@click.option("--broker", type=click.Choice(["auto", "mosquitto", "amqtt"]), default="auto", show_default=True)
def main(directory: Path, config: Path, scenario_file: Path | None, **asked: Any) -> None:
    """Run the whole system with a simulated city until Ctrl-C. SERIES=influx uses InfluxDB instead of DuckDB."""
    scenario_file = scenario_file or config / "sim" / "city.yaml"
    city = load_city(scenario_file)
    if not isinstance(city, City):
        for problem in city:
            click.echo(str(problem), err=True)
        sys.exit(2)
    options = Options(config=config, series=os.environ.get("SERIES", ""), **asked)
    try:
        with _only_one(directory):
            _log_to(Layout(directory).log("demo"))
            asyncio.run(_run(city, scenario_file, Layout(directory), options))
    except SimError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _log_to(log_file: Path) -> None:
    """What the launcher has to say goes to the screen, and with its time into a file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    screen, file = logging.StreamHandler(), logging.FileHandler(log_file)
    screen.setFormatter(logging.Formatter("  %(asctime)s %(message)s", "%H:%M:%S"))
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[screen, file])


@contextlib.contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Hold the demo folder for this process."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SimError("a demo runs in this folder already; end it first, or give another --directory") from error
        yield


async def _run(city: City, scenario_file: Path, layout: Layout, options: Options) -> None:
    """Run until SIGINT or SIGTERM; a second one is not heard, because parts left behind would be worse than a wait."""
    _cancel_once(asyncio.current_task())
    try:
        async with running_demo(city, scenario_file, layout, options) as (demo, url):
            click.echo(farewell(demo, url))
            try:
                await demo.keep()
            except asyncio.CancelledError:
                click.echo("\nEnding everything …")
    except asyncio.CancelledError:
        pass
    click.echo("All parts have ended.")


def _cancel_once(task: asyncio.Task[None] | None) -> None:
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked and task is not None:
            asked = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
