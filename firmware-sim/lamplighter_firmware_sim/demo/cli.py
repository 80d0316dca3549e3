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

import click

from lamplighter_firmware_sim.demo.layout import Layout
from lamplighter_firmware_sim.demo.run import Options, farewell, running_demo
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.scenario import Scenario, load_scenario

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--directory", type=_FOLDER, default=Path("run"), show_default=True, help="Data and logs.")
@click.option("--config", type=_FOLDER, default=Path("config"), show_default=True, help="Profiles and scenarios.")
@click.option("--scenario", "scenario_file", type=click.Path(dir_okay=False, path_type=Path), help="Another city.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True, help="Civil seconds a second."
)
@click.option("--http-port", type=click.IntRange(1, 65_535), help="Default: 8080, or the next free one.")
def main(directory: Path, config: Path, scenario_file: Path | None, rate: float, http_port: int | None) -> None:
    """Run the whole system with a simulated city until Ctrl-C. SERIES=influx uses InfluxDB instead of DuckDB."""
    logging.basicConfig(level=logging.WARNING, format="  %(message)s")
    scenario_file = scenario_file or config / "sim" / "city.yaml"
    scenario = load_scenario(scenario_file)
    if not isinstance(scenario, Scenario):
        for problem in scenario:
            click.echo(str(problem), err=True)
        sys.exit(2)
    options = Options(config, rate, http_port, os.environ.get("SERIES", ""))
    try:
        with _only_one(directory):
            asyncio.run(_run(scenario, scenario_file, Layout(directory), options))
    except SimError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


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


async def _run(scenario: Scenario, scenario_file: Path, layout: Layout, options: Options) -> None:
    """Run until SIGINT or SIGTERM; a second one ends the waiting for a clean end."""
    main_task = asyncio.current_task()
    assert main_task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, main_task.cancel)
    try:
        async with running_demo(scenario, scenario_file, layout, options) as (demo, url):
            click.echo(farewell(demo, url))
            try:
                await demo.keep()
            except asyncio.CancelledError:
                click.echo("\nEnding everything …")
    except asyncio.CancelledError:
        pass
    click.echo("All parts have ended.")
