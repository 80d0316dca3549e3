"""Start every part of the demo in order, keep it running, and end it in reverse order."""

import asyncio
import contextlib
import http.client
import json
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import yaml

from lamplighter_contract.clock import CivilScale, SystemClock
from lamplighter_firmware_sim.city import City
from lamplighter_firmware_sim.demo import civil
from lamplighter_firmware_sim.demo.broker import broker_program, choose_broker
from lamplighter_firmware_sim.demo.fleet import is_registered, register
from lamplighter_firmware_sim.demo.influx import Influx, influx, make_database
from lamplighter_firmware_sim.demo.layout import Layout, Ports, choose_ports
from lamplighter_firmware_sim.demo.lighting import CommandLine, is_planned, light_by_plan, serves_all
from lamplighter_firmware_sim.demo.processes import Program, until, until_line, until_port
from lamplighter_firmware_sim.demo.screen import Progress, try_next
from lamplighter_firmware_sim.demo.screen import civil as civil_text
from lamplighter_firmware_sim.endpoints import endpoints_in
from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.physics.sky import solar_elevation_deg
from lamplighter_firmware_sim.trucks.fleet import Fleet, build_fleet
from lamplighter_firmware_sim.trucks.gateway import trucks_gateway_config

REMEMBER_S: Final = 5.0
POLL_S: Final = 5.0
REPORT_S: Final = 2.0
KEPT_S: Final = 30.0  # what diagnosis has learned; half a civil hour
HEARTBEAT_S: Final = 60.0
FIRST_READING_S: Final = 60.0
TRUCKS_GATEWAY: Final = "gw-trucks"
BIN: Final = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    config: Path
    rate: float
    http_port: int | None
    series: str
    broker: str


@dataclass(slots=True)
class Demo:
    """One running demo."""

    city: City
    scenario_file: Path
    layout: Layout
    options: Options
    ports: Ports
    scale: CivilScale
    progress: Progress = field(default_factory=Progress)
    programs: list[Program] = field(default_factory=list)

    async def start(self) -> str:
        """Bring everything up; returns the console's address.

        Raises:
            ProgramFailed: a part did not come up.
        """
        store = await self._store()
        await self._brokers()
        await self._simulator()
        root_key = await self._controller(store)
        for gateway in self.city.gateways:
            await self._gateway(gateway, root_key)
        self.progress.step(f"{len(self.city.gateways)} gateways polling")
        await self._register()
        await self._trucks(root_key)
        token = (self.layout.centre / "admin.token").read_text().strip()
        await self._first_reading(token)
        self.progress.step("first live readings are stored and shown")
        await self._plan()
        return f"http://127.0.0.1:{self.ports.http}/#token={token}"

    async def keep(self) -> None:
        """Start again what dies, and remember how far civil time has come, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for program in self.programs:
                tasks.create_task(program.watch(), name=f"watch {program.name}")
            tasks.create_task(self._remember(), name="remember civil time")

    async def stop(self) -> None:
        """End all parts, those that feed before those that store."""
        for program in reversed(self.programs):
            await program.stop()
        civil.remember(self.layout.last, SystemClock(self.scale).civil_ms())

    async def _remember(self) -> None:
        clock = SystemClock(self.scale)
        while True:
            ahead_ms = round(REMEMBER_S * 1000 * self.scale.rate)
            civil.remember(self.layout.last, clock.civil_ms() + ahead_ms)
            await asyncio.sleep(REMEMBER_S)

    async def _launch(self, program: Program) -> Program:
        program.pid_file = self.layout.pid(program.name)
        await program.start()
        self.programs.append(program)
        return program

    def _own(self, name: str, *arguments: str) -> Program:
        return Program(name, [str(BIN / arguments[0]), *arguments[1:]], self.layout.log(name))

    async def _store(self) -> Influx | None:
        store = influx(
            self.options.series,
            self.ports.influx,
            self.ports.influx + 1,
            self.layout.directory,
            self.layout.log("influxd"),
        )
        if store and store.program:
            await self._launch(store.program)
            await until(store.program, lambda: asyncio.to_thread(make_database, store.port))
            self.progress.step("InfluxDB is up")
        return store

    async def _brokers(self) -> None:
        binary = choose_broker(self.options.broker)
        for name, port in (("broker", self.ports.uplink), ("field-broker", self.ports.field)):
            program = await self._launch(broker_program(name, binary, port, self.layout.directory))
            await until_port(program, port)
        self.progress.step(f"brokers are up ({'mosquitto' if binary else 'amqtt'})")

    async def _simulator(self) -> None:
        program = self._own(
            "sim",
            "lamplighter-sim",
            "run",
            *("--scenario", str(self.scenario_file), "--directory", str(self.layout.sim)),
            *("--clock", str(self.layout.clock), "--field-broker", f"127.0.0.1:{self.ports.field}"),
            *("--port-base", str(self.ports.buses_from)),
        )
        await self._launch(program)
        await until_line(program, "ready ")
        city = self.city
        self.progress.step(f"{len(city.cabinets)} supply points with {len(city.lamps):,} lamps answer on their wires")

    async def _controller(self, store: Influx | None) -> str:
        config = self.layout.config("centre")
        config.write_text(yaml.safe_dump(self._controller_config(store), allow_unicode=True, sort_keys=False))
        program = self._own("centre", "lamplighter-controller", "run", str(config))
        await self._launch(program)
        await until_line(program, "console:")
        self.progress.step(f"controller is up ({'InfluxDB' if store else 'DuckDB'} and SQLite)")
        return (self.layout.centre / "keys" / "root.pub").read_text().strip()

    def _controller_config(self, store: Influx | None) -> dict[str, Any]:
        return {
            "controller": "centre",
            "data": "centre",
            "demo": True,
            "clock": self.layout.clock.name,
            "enrolled": [*self.city.gateways, TRUCKS_GATEWAY],
            "broker": {"port": self.ports.uplink},
            "http": {"port": self.ports.http},
            "diagnosis": {"reading_s": POLL_S, "step_s": POLL_S / 2, "checkpoint_s": KEPT_S},
            **({"series": {"url": store.url}} if store else {}),
        }

    def _options(self, gateway: str, root_key: str) -> GatewayOptions:
        return GatewayOptions(
            data=gateway,
            root_key=root_key,
            profiles=str((self.options.config / "profiles").resolve()),
            uplink_port=self.ports.uplink,
            clock=self.layout.clock.name,
            poll_s=POLL_S,
            report_interval_s=REPORT_S,
            heartbeat_s=HEARTBEAT_S,
        )

    async def _gateway(self, gateway: str, root_key: str) -> None:
        options = self._options(gateway, root_key)
        config = self.layout.config(gateway)
        config.write_text(gateway_config(self.city, gateway, endpoints_in(self.layout.sim / "endpoints.json"), options))
        await self._launch(self._own(gateway, "lamplighter-gateway", "run", str(config)))

    async def _trucks(self, root_key: str) -> None:
        """The gateway that trucks call, and the trucks."""
        fleet = self._fleet()
        field, config = ("127.0.0.1", self.ports.field), self.layout.config(TRUCKS_GATEWAY)
        options = self._options(TRUCKS_GATEWAY, root_key)
        secret = self._relay_secret()
        relay = self.ports.relay, str(secret.relative_to(self.layout.directory))  # as seen from the configuration
        config.write_text(trucks_gateway_config(fleet, TRUCKS_GATEWAY, self.ports.trucks, field, options, relay=relay))
        await until_port(
            await self._launch(self._own(TRUCKS_GATEWAY, "lamplighter-gateway", "run", str(config))), self.ports.trucks
        )
        program = self._own(
            "trucks",
            "lamplighter-sim",
            "trucks",
            "run",
            *("--scenario", str(self.scenario_file), "--directory", str(self.layout.fleet)),
            *("--clock", str(self.layout.clock), "--field-broker", f"127.0.0.1:{self.ports.field}"),
            *("--gateway", f"127.0.0.1:{self.ports.trucks}"),
            *("--relay", f"127.0.0.1:{self.ports.relay}", "--relay-secret", str(secret)),
        )
        await until_line(await self._launch(program), "ready ")
        self.progress.step(f"{len(fleet.trucks)} trucks of {len(fleet.companies)} companies are on their way")

    def _relay_secret(self) -> Path:
        """What the vendor's platform and our gateway have agreed on; made at the first start."""
        file = self.layout.fleet / "relay.secret"
        if not file.exists():
            file.write_text(secrets.token_hex(32))
            file.chmod(0o600)
        return file

    async def _first_reading(self, token: str) -> None:
        last = self.programs[-1]
        await until(last, lambda: asyncio.to_thread(self._anything_live, token), FIRST_READING_S)

    async def _plan(self) -> None:
        """At the first start; later ones find a plan in force."""
        call = self._call()
        if await is_planned(call):
            return

        async def complete() -> bool | None:
            return await serves_all(call, self.city) or None

        await until(self.programs[-1], complete, FIRST_READING_S)
        number = await light_by_plan(call, self.city, self.layout.survey)
        self.progress.step(
            f"the city's survey is imported, plan {number} (presets after Jinan's practice) is published"
        )

    async def _register(self) -> None:
        """At the first start; what people changed in the register stays."""
        call, fleet = self._call(), self._fleet()
        if await is_registered(call):
            return
        await register(call, fleet, self.layout.fleet)
        self.progress.step(f"{len(fleet.trucks)} trucks, their permits and {len(fleet.spots)} places are registered")

    def _call(self) -> CommandLine:
        url = f"http://127.0.0.1:{self.ports.http}"
        return CommandLine(BIN / "lamplighter", url, self.layout.centre / "admin.token")

    def _fleet(self) -> Fleet:
        return build_fleet(self.city.scenario.place, self.city.scenario.seed)

    def _anything_live(self, token: str) -> bool | None:
        path, headers = "/api/v1/latest?kind=lamp", {"Authorization": f"Bearer {token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.ports.http, timeout=5)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            return None
        times = json.loads(body)["time_ms"]
        return any(time_ms is not None and time_ms >= self.scale.civil_origin_ms for time_ms in times) or None


@contextlib.asynccontextmanager
async def running_demo(
    city: City, scenario_file: Path, layout: Layout, options: Options
) -> AsyncIterator[tuple[Demo, str]]:
    """A demo that is up; yields it and the console's address, and ends it in any case."""
    layout.make()
    clock = SystemClock()
    place, zone = city.scenario.place, city.scenario.zone

    def elevation(time_ms: int) -> float:
        return solar_elevation_deg(time_ms, place.latitude, place.longitude)

    first_ms = civil.before_dusk(elevation, clock.wall_ms(), zone)
    scale = civil.begin(layout.clock, layout.last, options.rate, clock.wall_ms(), first_ms)
    ports = choose_ports(len(city.cabinets), options.http_port)
    demo = Demo(city, scenario_file, layout, options, ports, scale)
    click.echo(f"The sample city, civil time {civil_text(scale.civil_origin_ms, zone)} ({zone})")
    try:
        url = await demo.start()
        yield demo, url
    finally:
        await asyncio.shield(demo.stop())


def farewell(demo: Demo, url: str) -> str:
    """The screen after a good start."""
    return try_next(url, str(demo.layout.directory), [program.name for program in demo.programs], demo.options.rate)
