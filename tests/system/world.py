"""A whole small city as real processes: broker, simulated lamps on their wires, controller, gateways."""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import yaml

from lamplighter_contract.clock import CivilScale, SystemClock, encode_scale
from lamplighter_firmware_sim.gateway_config import GatewayOptions, gateway_config
from lamplighter_firmware_sim.scenario.model import Place, Wire
from tests.system.process import Server
from tests.system.servers import Mosquitto
from tests.system.world_api import Api, eventually
from tests.system.world_city import JINAN, LoopThread, SickLink, StreetCity, small_city
from tests.system.world_programs import Controller, Gateway

PROFILES: Final = Path(__file__).parents[2] / "config" / "profiles"
ZONE: Final = ZoneInfo("Asia/Shanghai")
EVENING: Final = datetime(2026, 1, 15, 20, 0, tzinfo=ZONE)  # dark, and for hours to come
ALL_READ_S: Final = 40.0
KEEPALIVE_S: Final = 5


class World:
    """A city with `gateways` gateways, each with the same `cabinets`; use it as `with World() as world`.

    Args:
        gateways: how many; they are called gw-1, gw-2, ...
        cabinets: wire and number of lamps of each cabinet of a gateway.
        series: URL of the series store; DuckDB in the controller when there is none.
        ledger: URL of the ledger; SQLite in the controller when there is none.
        linked: every gateway has a `SickLink` of its own between itself and the broker.
        begins: the civil time at which it begins.
        rate: civil seconds in a real one.
        place: where it lies.
        poll_s: how often a gateway reads each device, and at least as often tells it.
        controller: sections of the controller's configuration.
        launched: every gateway is started by its launcher, so that it can be updated.
    """

    def __init__(
        self,
        *,
        gateways: int = 2,
        cabinets: Sequence[tuple[Wire, int]] = ((Wire.MODBUS_TCP, 20),),
        series: str | None = None,
        ledger: str | None = None,
        linked: bool = False,
        begins: datetime = EVENING,
        rate: float = 1.0,
        place: Place = JINAN,
        poll_s: float = 0.5,
        controller: Mapping[str, Any] | None = None,
        launched: bool = False,
    ) -> None:
        self._stack = contextlib.ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="lamplighter-world-"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        wall_ms = SystemClock().wall_ms()
        self.clock = SystemClock(CivilScale(rate, round(begins.timestamp() * 1000), wall_ms))
        self.clock_file = self.folder / "clock.json"
        self.clock_file.write_bytes(encode_scale(self.clock.scale))
        self._scenario = small_city(gateways, tuple(cabinets), place)
        self._stores: dict[str, Any] = dict(controller or {})
        self._poll_s = poll_s
        if series:
            self._stores["series"] = {"url": series, "timeout_s": 5}
        if ledger:
            self._stores["ledger"] = ledger
        self._linked, self._launched = linked, launched
        self.broker = Mosquitto(persistence=True)
        self.thread = LoopThread()
        self.links: dict[str, SickLink] = {}
        self.gateways: dict[str, Gateway] = {}
        self.city: StreetCity
        self.controller: Controller
        self.api: Api

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._tell()
        self._stack.close()

    def gateway(self, number: int = 1) -> Gateway:
        """One gateway by its number."""
        return self.gateways[f"gw-{number}"]

    @property
    def lamps(self) -> list[str]:
        """Every lamp of the city."""
        return [lamp.id for lamp in self.city.plan.lamps]

    def config_of(self, name: str) -> dict[str, Any]:
        """A gateway's configuration: everything polled twice a second and reported each time."""
        endpoints = self.city.endpoints
        options = GatewayOptions(
            data="set by the program",
            root_key=self.controller.root_key,
            profiles=str(PROFILES),
            uplink_port=self.links[name].port if name in self.links else self.broker.port,
            clock=str(self.clock_file),
            poll_s=self._poll_s,
            report_interval_s=0,
            heartbeat_s=2 * self._poll_s,
            names=False,
        )
        document: dict[str, Any] = yaml.safe_load(gateway_config(self.city.plan, name, endpoints, options))
        document["uplink"]["keepalive_s"] = KEEPALIVE_S
        return document

    def wait_for_news(self, gateways: Iterable[str] = (), *, within_s: float, after_ms: int | None = None) -> float:
        """Wait until every lamp of these gateways (all by default) was read after a civil time, now by default, and
        the controller shows it; returns the seconds that took.
        """
        names = set(gateways) or set(self.gateways)
        begun = time.monotonic()
        since_ms = self.clock.civil_ms() if after_ms is None else after_ms

        def look() -> bool:
            rows = self.api.latest().values()
            mine = [row for row in rows if row["gateway"] in names]
            return bool(mine) and all(row["time_ms"] >= since_ms for row in mine)

        eventually(look, within_s, f"news of every lamp of {', '.join(sorted(names))}")
        return time.monotonic() - begun

    def meet_controller(self) -> None:
        """Take up the newest token the controller has shown."""
        self.api = Api(self.controller.url, self.controller.token)
        self._stack.callback(self.api.close)

    def stop_programs(self) -> None:
        """Stop gateways and controller, so that their files can be read."""
        for program in (*self.gateways.values(), self.controller):
            with contextlib.suppress(AssertionError):
                program.stop()

    def _open(self) -> None:
        self._serve(self.broker)
        field = None
        if any(group.wire is Wire.MQTT for group in self._scenario.groups):
            field_broker = Mosquitto()
            self._serve(field_broker)
            field = ("127.0.0.1", field_broker.port)
        self._stack.callback(self.thread.close)
        sim = self.folder / "sim"
        sim.mkdir()
        city = StreetCity(self.thread, self._scenario, sim, self.clock, field)
        self.city = self._stack.enter_context(city)
        names = self.city.plan.gateways
        self.controller = Controller(
            {
                "clock": str(self.clock_file),
                "enrolled": list(names),
                "broker": {"port": self.broker.port, "keepalive_s": KEEPALIVE_S},
                **self._stores,
            }
        )
        self._serve(self.controller)
        self.meet_controller()
        self._open_gateways(names)
        self.wait_for_news(within_s=ALL_READ_S)

    def _open_gateways(self, names: Sequence[str]) -> None:
        for name in names:
            if self._linked:
                self.links[name] = SickLink(self.thread, self.broker.port)
                self._stack.callback(self.links[name].cut)
            self.gateways[name] = Gateway(self.config_of(name))
            self.gateways[name].how = "start" if self._launched else "run"
            self._stack.callback(self.gateways[name].close)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Gateway.start, self.gateways.values()))

    def _serve(self, server: Server) -> None:
        self._stack.callback(server.close)
        server.start()

    def _tell(self) -> None:
        """What everybody wrote, for the one who looks at a failure."""
        programs = {"broker": self.broker, **self.gateways, **vars(self)}
        for name, program in programs.items():
            if isinstance(program, Server):
                print(f"--- the end of {name}'s log\n{program.log_tail()}")
