"""`lamplighter-sim trucks`: the simulated fleet on the command line."""

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.command_line import Address, clock_of, fail, inventory_of
from lamplighter_firmware_sim.errors import SimError
from lamplighter_firmware_sim.gateway_config import GatewayOptions
from lamplighter_firmware_sim.trucks import files
from lamplighter_firmware_sim.trucks.control import Order, order, ordering
from lamplighter_firmware_sim.trucks.fleet import Fleet, build_fleet
from lamplighter_firmware_sim.trucks.gateway import RELAY_BUS, trucks_gateway_config
from lamplighter_firmware_sim.trucks.offences import Offence
from lamplighter_firmware_sim.trucks.serve import Reporting, running_trucks
from lamplighter_firmware_sim.trucks.wire.relay import Forwarding

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)
_scenario: Final = click.option("--scenario", "scenario_path", type=_FILE, required=True, help="Scenario file.")
_trucks: Final = click.option("--trucks", "count", type=click.IntRange(1, 20_000), default=124, show_default=True)
_companies: Final = click.option("--companies", type=click.IntRange(1, 500), default=8, show_default=True)
_running: Final = click.option(
    "--directory", type=_DIRECTORY, required=True, help="Where the trucks keep their socket."
)


@click.group()
def trucks() -> None:
    """Simulated muck trucks that call a gateway."""


def _fleet(path: Path, count: int, companies: int) -> Fleet:
    city: City = inventory_of(path)
    return build_fleet(city.scenario.place, city.scenario.seed, count, companies)


@trucks.command()
@_scenario
@_running
@_trucks
@_companies
@click.option("--gateway", "server", type=Address(), required=True, help="host:port of the JT/T 808 server.")
@click.option("--field-broker", type=Address(), help="Broker that the MQTT trackers speak to.")
@click.option("--relay", type=Address(), help="host:port that a vendor's platform posts its trucks to.")
@click.option("--relay-secret", "secret_path", type=_FILE, help="File with the secret it signs with.")
@click.option("--clock", "clock_path", type=_FILE, help="Shared clock file; without it civil time is real time.")
@click.option(
    "--interval-s", type=click.FloatRange(1), default=10, show_default=True, help="Civil seconds of a report."
)
@click.option("--least-s", type=click.FloatRange(0.05), default=2, show_default=True, help="Real ones at least.")
@click.option(
    "--per-truck-day", type=click.FloatRange(0, 50), default=0.3, show_default=True, help="Offences by the script."
)
@click.option(
    "--at-work-s", type=click.FloatRange(0, 36_000), default=3_600, show_default=True, help="Before the start."
)
@click.option("--healthy", is_flag=True, help="No terminal lies, loses its link or a fragment, jumps or is jammed.")
def run(
    scenario_path: Path,
    directory: Path,
    count: int,
    companies: int,
    clock_path: Path | None,
    server: tuple[str, int],
    field_broker: tuple[str, int] | None,
    relay: tuple[str, int] | None,
    secret_path: Path | None,
    **reporting: Any,
) -> None:
    """Drive until SIGINT or SIGTERM; prints `ready` when the trucks are on their way."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    fleet, clock = _fleet(scenario_path, count, companies), clock_of(clock_path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        forwarding = _forwarding(relay, secret_path)
        asyncio.run(_serve(fleet, clock, directory, server, field_broker, Reporting(**reporting), forwarding))
    except (SimError, OSError) as error:
        fail(error)


def _forwarding(server: tuple[str, int] | None, secret: Path | None) -> Forwarding | None:
    if (server is None) is not (secret is None):
        raise SimError("--relay and --relay-secret go together")
    if server is None or secret is None:
        return None
    return Forwarding(server, secret.read_text(encoding="utf-8").strip().encode(), RELAY_BUS)


async def _serve(
    fleet: Fleet,
    clock: Clock,
    directory: Path,
    server: tuple[str, int],
    broker: tuple[str, int] | None,
    reporting: Reporting,
    forwarding: Forwarding | None,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        running_trucks(fleet, clock, server, broker, reporting, forwarding) as running,
        ordering(running, directory),
    ):
        click.echo(f"ready {len(fleet.trucks)} trucks of {len(fleet.companies)} companies")
        await running.until(stop)


@trucks.command("files")
@_scenario
@_trucks
@_companies
@click.option("--to", "directory", type=_DIRECTORY, required=True, help="Folder for the files.")
@click.option("--issued", default="2026-01-01", show_default=True, help="Day from which permits hold.")
@click.option("--expires", default="2027-12-31", show_default=True, help="Day until which they do.")
def files_command(scenario_path: Path, count: int, companies: int, directory: Path, issued: str, expires: str) -> None:
    """Write the fleet as files for the controller's register, in the order to import them; positions are WGS-84."""
    for path in files.write(directory, _fleet(scenario_path, count, companies), issued, expires):
        click.echo(path)


@trucks.command("gateway-config")
@_scenario
@_trucks
@_companies
@click.option("--gateway", required=True, help="Its id.")
@click.option("--port", type=click.IntRange(0, 65_535), default=7611, show_default=True, help="Where terminals call.")
@click.option("--field-broker", "broker", type=Address(), help="Broker of the MQTT trackers; without it, none.")
@click.option("--relay-port", type=click.IntRange(0, 65_535), help="Where a vendor's platform posts; without it, none.")
@click.option("--relay-secret", help="File with the secret that it signs with.")
@click.option("--data", required=True, help="The gateway's data directory.")
@click.option("--root-key", required=True, help="Public half of the offline root key, base64.")
@click.option("--profiles", default="config/profiles", show_default=True, help="Folder of device profiles.")
@click.option("--uplink-host", default="127.0.0.1", show_default=True)
@click.option("--uplink-port", type=click.IntRange(1, 65_535), default=1883, show_default=True)
@click.option("--password-file", help="Uplink password file.")
@click.option("--clock", help="Shared clock file.")
def gateway_command(
    scenario_path: Path,
    count: int,
    companies: int,
    gateway: str,
    port: int,
    broker: tuple[str, int] | None,
    relay_port: int | None,
    relay_secret: str | None,
    **options: Any,
) -> None:
    """Print the YAML file of the gateway that the trucks call."""
    fleet = _fleet(scenario_path, count, companies)
    relay = (relay_port, relay_secret) if relay_port is not None and relay_secret is not None else None
    click.echo(trucks_gateway_config(fleet, gateway, port, broker, GatewayOptions(**options), relay=relay), nl=False)


@trucks.command()
@click.argument("truck")
@click.argument("offence", type=click.Choice([str(one) for one in Offence]))
@_running
def offend(truck: str, offence: str, directory: Path) -> None:
    """Have TRUCK do something wrong now, or as soon as its work allows it."""
    click.echo(_asked(directory, Order("offend", truck, offence)))


@trucks.command()
@click.argument("truck")
@_running
def see(truck: str, directory: Path) -> None:
    """What is true of TRUCK now, whatever its terminal says."""
    click.echo(json.dumps(_asked(directory, Order("see", truck)), ensure_ascii=False, indent=2))


@trucks.command("list")
@_running
def list_command(directory: Path) -> None:
    """All trucks: where they are, and what they are doing."""
    for row in _asked(directory, Order("list")):
        marks = [name for name in ("cover_open", "raised", "lift_limited") if row[name]]
        limit = f"limit {row['limit_kmh']:g}" if row["limit_kmh"] else ""
        place = f"{row['latitude']:.5f} {row['longitude']:.5f}"
        load = f"{row['load']:4.0%}"
        click.echo(f"{row['id']} {row['plate']} {place} {row['speed_kmh']:5.1f} km/h {load} {limit} {' '.join(marks)}")


def _asked(directory: Path, wanted: Order) -> Any:
    try:
        return order(directory, wanted)
    except SimError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
