"""`lamplighter-sim`: the simulated city on the command line."""

import asyncio
import json
import logging
import signal
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.geo.systems import System
from lamplighter_firmware_sim.campaign.files import write_files
from lamplighter_firmware_sim.campaign.generate import Order, generate
from lamplighter_firmware_sim.campaign.network import Size
from lamplighter_firmware_sim.campaign.recipes import What
from lamplighter_firmware_sim.command_line import Address, clock_of, fail, inventory_of
from lamplighter_firmware_sim.control import Request, ask
from lamplighter_firmware_sim.endpoints import endpoints_at, endpoints_in, published
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.faults.kinds import KINDS
from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.inventory_json import city_document, summary
from lamplighter_firmware_sim.scenario import Scenario
from lamplighter_firmware_sim.serve import running_city
from lamplighter_firmware_sim.survey import files
from lamplighter_firmware_sim.survey.tables import tables
from lamplighter_firmware_sim.trucks.cli import trucks

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)
_scenario_option: Final = click.option("--scenario", "scenario_path", type=_FILE, required=True, help="Scenario file.")
_directory_option: Final = click.option(
    "--directory", type=_DIRECTORY, required=True, help="Where the running simulator keeps its links and socket."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Simulated street lamps and supply points that speak the real wires."""


@main.command()
@_scenario_option
@_directory_option
@click.option("--clock", "clock_path", type=_FILE, help="Shared clock file; without it civil time is real time.")
@click.option("--field-broker", type=Address(), help="Broker that the MQTT lamps speak to.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port-base", type=click.IntRange(0, 65_000), default=0, help="Cabinet n listens on base + n; 0: free ports."
)
@click.option("--gateway", help="Serve only this gateway's part.")
@click.option("--verbose", is_flag=True, help="Log more than warnings.")
def run(scenario_path: Path, directory: Path, clock_path: Path | None, verbose: bool, **options: Any) -> None:
    """Serve the city until SIGINT or SIGTERM; prints `ready {...}` when every wire is open."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    scenario, clock = inventory_of(scenario_path).scenario, clock_of(clock_path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        asyncio.run(_serve(scenario, directory, clock, options))
    except (SimError, OSError) as error:
        fail(error)


async def _serve(scenario: Scenario, directory: Path, clock: SystemClock, options: dict[str, Any]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_city(scenario, directory, clock=clock, control=True, remembering=True, **options) as city:
        with published(directory, city.endpoints) as ready:
            click.echo(f"ready {ready}")
            await city.until(stop)


@main.command()
@_scenario_option
def check(scenario_path: Path) -> None:
    """Say what is wrong with a scenario, all at once; exit code 2 if anything is."""
    click.echo(summary(inventory_of(scenario_path)))


@main.command()
@_scenario_option
@click.option("--json", "as_json", is_flag=True, help="The whole inventory.")
def city(scenario_path: Path, as_json: bool) -> None:
    """List what stands in the city."""
    inventory = inventory_of(scenario_path)
    click.echo(json.dumps(city_document(inventory), ensure_ascii=False) if as_json else summary(inventory))


@main.command()
@_scenario_option
@click.option("--to", "directory", type=_DIRECTORY, required=True, help="Folder for the files.")
@click.option("--geojson", is_flag=True, help="GeoJSON for what has a position; else everything is CSV.")
@click.option("--crs", type=click.Choice([*map(str, System)]), default="wgs84", show_default=True, help="Of positions.")
def inventory(scenario_path: Path, directory: Path, geojson: bool, crs: str) -> None:
    """Write the city as files for `lamplighter inventory import`, in the order to import them."""
    for path in files.write(directory, tables(inventory_of(scenario_path)), System(crs), geojson=geojson):
        click.echo(path)


@main.command("gateway-config")
@_scenario_option
@click.option("--gateway", required=True, help="Whose file to write.")
@click.option(
    "--endpoints", type=_FILE, help="endpoints.json of a running simulator; else ports are counted from the base."
)
@click.option("--directory", type=_DIRECTORY, help="Directory of the simulator, for its serial links.")
@click.option("--port-base", type=click.IntRange(1, 65_000), default=15_000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the simulator.")
@click.option("--field-broker", type=Address(), default="127.0.0.1:1884", show_default=True)
@click.option("--data", required=True, help="The gateway's data directory.")
@click.option("--root-key", required=True, help="Public half of the offline root key, base64.")
@click.option("--profiles", default="config/profiles", show_default=True, help="Folder of device profiles.")
@click.option("--uplink-host", default="127.0.0.1", show_default=True)
@click.option("--uplink-port", type=click.IntRange(1, 65_535), default=1883, show_default=True)
@click.option("--password-file", help="Uplink password file.")
@click.option("--clock", help="Shared clock file.")
@click.option("--metrics-port", type=click.IntRange(0, 65_535), default=0, help="0: no metrics.")
@click.option("--poll-s", type=float, default=10, show_default=True)
@click.option("--report-interval-s", type=float, default=60, show_default=True)
@click.option("--heartbeat-s", type=float, default=900, show_default=True)
@click.option("--names/--no-names", default=True, show_default=True, help="Names of devices in both languages.")
@click.option("--ranges", is_flag=True, help="One line for all lamps of a bus, without positions and names.")
def gateway_config_command(
    scenario_path: Path,
    gateway: str,
    endpoints: Path | None,
    directory: Path | None,
    port_base: int,
    host: str,
    field_broker: tuple[str, int],
    **options: Any,
) -> None:
    """Print the YAML file of one gateway."""
    inventory = inventory_of(scenario_path)
    if gateway not in inventory.gateways:
        fail(SimError(f"--gateway {gateway!r}: expected one of {', '.join(inventory.gateways)}"))
    try:
        found = (
            endpoints_in(endpoints) if endpoints else endpoints_at(inventory, host, port_base, directory, field_broker)
        )
        click.echo(gateway_config(inventory, gateway, found, GatewayOptions(**options)), nl=False)
    except SimError as error:
        fail(error)


_OUT: Final = click.option("--directory", type=_DIRECTORY, required=True, help="Where the files go.")


@main.command()
@click.argument("what", type=click.Choice([str(what) for what in What]))
@_OUT
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Equal seeds make equal campaigns.")
@click.option("--cabinets", type=click.IntRange(8, 400), default=24, show_default=True, help="About 92 lamps each.")
@click.option("--days", type=click.IntRange(4, 60), default=6, show_default=True)
@click.option(
    "--interval-s", type=click.IntRange(60, 3600), default=900, show_default=True, help="Between two reports."
)
@click.option(
    "--each", type=click.IntRange(1, 20), default=3, show_default=True, help="Lamps that a single kind strikes."
)
@click.option("--wrong-share", type=click.FloatRange(0, 0.5), default=0.0, help="Lamps whose model is booked wrongly.")
def campaign(what: str, directory: Path, seed: int, cabinets: int, **options: Any) -> None:
    """Write nights of telemetry in which known things go wrong: T.csv, L.csv, T.json and truth.jsonl."""
    order = Order(what=What(what), size=Size(cabinets=cabinets), **options)
    try:
        write_files(generate(np.random.default_rng(seed), order), directory)
    except OSError as error:
        fail(error)


main.add_command(trucks)


@main.group()
def fault() -> None:
    """Faults by hand in a running simulator."""


def _ask(directory: Path, request: Request) -> Any:
    try:
        return ask(directory, request)
    except SimError as error:
        fail(error)


@fault.command("add")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("target")
@_directory_option
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Real seconds; without it, until cleared.")
@click.option("--value", type=float, help="Strength, such as milliseconds of a slow unit.")
def fault_add(kind: str, target: str, directory: Path, seconds: float | None, value: float | None) -> None:
    """Let TARGET (a device id, * for any letters) go wrong in the way of KIND."""
    row = _ask(directory, Request("add", kind, target, seconds, value))
    click.echo(f"fault {row['number']}: {row['kind']} of {row['target']}, {row['devices']} device(s)")


@fault.command("list")
@_directory_option
@click.option("--json", "as_json", is_flag=True)
def fault_list(directory: Path, as_json: bool) -> None:
    """Every fault on the board."""
    rows = _ask(directory, Request("list"))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        state = "now" if row["holds"] else "not now"
        click.echo(f"{row['number']:4} {state:8} {row['kind']:14} {row['target']} ({KINDS[row['kind']].title})")


@fault.command("clear")
@_directory_option
@click.argument("number", type=int, required=False)
def fault_clear(directory: Path, number: int | None) -> None:
    """Forget one fault, or all of them."""
    click.echo(f"{_ask(directory, Request('clear', number=number))} fault(s) cleared")


@main.command()
@click.argument("lamp_id")
@_directory_option
def lamp(lamp_id: str, directory: Path) -> None:
    """What is true of one lamp in a running simulator."""
    click.echo(json.dumps(_ask(directory, Request("lamp", target=lamp_id)), indent=2))
