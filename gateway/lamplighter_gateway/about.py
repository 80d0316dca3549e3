"""What the gateway tells of itself: its birth, its devices, its health, its status for the person beside it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.documents import ClockState, DevicesDocument, GatewayState, Health
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.control import Answer
from lamplighter_gateway.drivers.port import Trackers
from lamplighter_gateway.light.registry import Registry
from lamplighter_gateway.settings import Settings
from lamplighter_gateway.spool.spool import Spool
from lamplighter_gateway.uplink.uplink import Uplink
from lamplighter_gateway.watch import metrics
from lamplighter_gateway.watch.counters import Counters
from lamplighter_gateway.watch.daily import Daily
from lamplighter_gateway.watch.health import health, written_bytes

VERSION: Final = version("lamplighter-gateway")


class About:
    """Asked anew each time it is told."""

    def __init__(
        self,
        settings: Settings,
        boot: str,
        registry: Registry,
        journal: Journal,
        spool: Spool,
        counters: Counters,
        clock: Clock,
        clock_state: Callable[[], ClockState],
        plan_version: Callable[[], int],
    ) -> None:
        """`plan_version` of the plan in force, 0 without one."""
        self._settings, self._boot, self._registry = settings, boot, registry
        self._journal, self._spool, self._counters = journal, spool, counters
        self._clock, self._clock_state, self._plan_version = clock, clock_state, plan_version
        self._flash = Daily()

    def birth(self) -> GatewayState:
        """Who it is and what it goes by."""
        return GatewayState(
            boot=self._boot,
            online=True,
            version=VERSION,
            plan_version=self._plan_version(),
            config_version=self._settings.config.number,
            config_source=self._settings.config.source,
            highest_seq=self._journal.highest_seq,
            clock=self._clock_state(),
            rate=self._settings.rate,
            compress=self._settings.compress,
            isolated=tuple(self._journal.holds.circuits()),
            locked=tuple(self._journal.holds.locked()),
            generation=self._journal.generation,
        )

    def devices(self) -> bytes:
        """What it serves."""
        return documents.encode(DevicesDocument(tuple(self._registry.entries.values()), buses=self._registry.buses))

    async def health(self) -> Health:
        """How it fares."""
        self._flash.reaches(written_bytes() or 0, self._clock.monotonic_s())
        return health(
            self._boot,
            self._clock.civil_ms(),
            [driver.status() for driver in self._registry.drivers.values()],
            self._spool.status(await self._spool.oldest_ms()),
            self._clock_state(),
            self._counters.all(),
            self._settings.data,
        )

    async def health_bytes(self) -> bytes:
        """Its health as it is sent."""
        return documents.encode(await self.health())

    async def metrics(self, uplink: Uplink) -> str:
        """Its health as Prometheus reads it."""
        return metrics.render(await self.health(), uplink=uplink.connected)

    async def status(self, uplink: Uplink) -> Answer:
        """Everything a person beside it wants to see."""
        controller = uplink.controller
        now_ms = self._clock.civil_ms()
        about = {
            "gateway": self._settings.gateway,
            "version": VERSION,
            "uplink": uplink.connected,
            "controller": documents.as_json(controller) if controller else None,
            "highest_seq": self._journal.highest_seq,
            "plan_version": self._plan_version(),
            "holds": [asdict(hold) for hold in self._journal.holds.all()],
            "per_day": self._per_day(uplink),
            "overrides": [asdict(o) for o in self._journal.desired.overrides() if o.until_ms > now_ms],
        }
        answer: Answer = documents.as_json(await self.health())
        buses = [asdict(driver.status()) for driver in self._registry.drivers.values()]
        return answer | about | {"buses": buses, "strangers": self._strangers()}

    def _strangers(self) -> list[Mapping[str, object]]:
        """Trackers that called and are not configured."""
        trackers = [driver for driver in self._registry.drivers.values() if isinstance(driver, Trackers)]
        return [one for driver in trackers for one in driver.strangers()]

    def _per_day(self, uplink: Uplink) -> dict[str, int]:
        """What a day costs: bytes of the uplink with what MQTT, TLS and TCP add, bytes written to the disk."""
        now_s, traffic = self._clock.monotonic_s(), uplink.traffic
        amounts = {"up_bytes": traffic.up, "down_bytes": traffic.down, "flash_bytes": self._flash}
        return {name: round(amount.per_day(now_s)) for name, amount in amounts.items()}
