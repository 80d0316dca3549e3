"""Lamp controllers that speak JSON to a field broker: state on change and as a heartbeat, `get`, `set`."""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from typing import Any, Final

import aiomqtt
import msgspec
import numpy as np

from lamplighter_contract.clock import Clock
from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.physics.lamps import Array
from lamplighter_firmware_sim.simulation import Simulation

_LOG: Final = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
_BACK_OFF_S: Final = (0.5, 1, 2, 5, 10)
_TIMEOUT_S: Final = 5.0
_LONGEST: Final = 1024
_VALUES: Final = 4  # level, power, voltage, temperature


class _Set(msgspec.Struct):
    """What a lamp understands; unknown fields are ignored."""

    dim: float | None = None
    auto: bool | None = None
    identify: float | None = None


class FieldLamps:
    """All MQTT lamps of the city on one connection to the field broker."""

    def __init__(self, simulation: Simulation, clock: Clock, broker: tuple[str, int], lamps: Iterable[int]) -> None:
        """`lamps` are column indices; `broker` is host and port."""
        self._simulation, self._clock, self._broker = simulation, clock, broker
        self._lamps = np.array(list(lamps), dtype=np.intp)
        self._index = {simulation.city.lamps[i].address: int(i) for i in self._lamps}
        self._identifier = f"lamplighter-sim-{secrets.token_hex(4)}"  # several simulators may share a broker
        self._heartbeat_s = simulation.city.scenario.field_line.heartbeat_s
        self._told = np.full((len(self._lamps), _VALUES), np.inf)
        self._telling = self._thresholds()
        self._due_s = np.full(len(self._lamps), -np.inf)
        self._asked: set[int] = set()
        self._wake = asyncio.Event()
        self.connected = asyncio.Event()
        self.refused = 0

    async def run(self) -> None:
        """Stay connected for ever; losing the broker is normal."""
        failures = 0
        while True:
            try:
                async with aiomqtt.Client(*self._broker, identifier=self._identifier, timeout=_TIMEOUT_S) as client:
                    failures = 0
                    await self._connected(client)
            except* aiomqtt.MqttError as lost:
                if failures == 0:
                    _LOG.warning("field broker %s:%d is away: %s", *self._broker, lost.exceptions[0])
            self.connected.clear()
            await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
            failures += 1

    async def _connected(self, client: aiomqtt.Client) -> None:
        client._disconnected.add_done_callback(_seen)  # noqa: SLF001 - aiomqtt does not look at its own error
        await client.subscribe([("lamps/+/set", 1), ("lamps/+/get", 1)])
        _LOG.info("field broker %s:%d: %d lamps connected", *self._broker, len(self._lamps))
        self._spread_heartbeats()
        self.connected.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(client), name="field lamps listen")
            tasks.create_task(self._tell(client), name="field lamps tell")

    def _spread_heartbeats(self) -> None:
        """After a (re)connection every lamp reports, spread over a tenth of the heartbeat."""
        now_s = self._clock.monotonic_s()
        self._due_s = now_s + np.linspace(0, self._heartbeat_s / 10, len(self._lamps))

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            _, address, verb = message.topic.value.split("/")
            lamp = self._index.get(address)
            if lamp is None or not self._simulation.lamp_answers(lamp):
                continue
            if verb == "set" and not self._take(lamp, message.payload):
                self.refused += 1
                continue
            delay_s = float(self._simulation.faults.strength("slow", Kind.LAMP)[lamp]) / 1000
            asyncio.get_running_loop().call_later(delay_s, self._ask, lamp)

    def _ask(self, lamp: int) -> None:
        self._asked.add(lamp)
        self._wake.set()

    def _take(self, lamp: int, payload: Any) -> bool:
        """Do what was written; False when it was not understood."""
        if not isinstance(payload, bytes | bytearray) or len(payload) > _LONGEST:
            return False
        try:
            wanted = msgspec.json.decode(payload, type=_Set)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        if wanted.dim is not None and 0 <= wanted.dim <= 100:
            self._simulation.write_level(lamp, wanted.dim)
        elif wanted.auto:
            self._simulation.resume(lamp)
        elif wanted.identify is not None and 1 <= wanted.identify <= 600:
            self._simulation.identify(lamp, wanted.identify)
        else:
            return False
        return True

    async def _tell(self, client: aiomqtt.Client) -> None:
        while True:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            for lamp in self._due():
                await client.publish(f"lamps/{self._simulation.city.lamps[lamp].address}/state", self.state(lamp))

    def _due(self) -> list[int]:
        """Lamps that have something to say: asked, changed, or silent for a heartbeat."""
        now_s = self._clock.monotonic_s()
        values = self._values()
        changed = (np.abs(values - self._told) >= self._telling).any(axis=1) & np.isfinite(self._told[:, 0])
        asked = np.isin(self._lamps, list(self._asked))
        self._asked.clear()
        due = changed | asked | (self._due_s <= now_s)
        answering = np.fromiter((self._simulation.lamp_answers(int(i)) for i in self._lamps), bool, len(self._lamps))
        due &= answering
        self._told[due] = values[due]
        self._due_s[due] = now_s + self._heartbeat_s
        return [int(i) for i in self._lamps[due]]

    def _thresholds(self) -> Array:
        """Change of each value that is worth a message: level %, power W, voltage V, temperature °C."""
        rated_w = self._simulation.plant.lamps.rated_w[self._lamps]
        least = np.tile([0.5, 1.0, 2.0, 2.0], (len(self._lamps), 1))
        least[:, 1] = np.maximum(1.0, 0.02 * rated_w)
        return least

    def _values(self) -> Array:
        lamps, bank = self._simulation.plant.lamps, self._simulation.bank
        columns = (lamps.level_percent, bank.lamp_power_w, bank.lamp_voltage_v, lamps.temperature_c)
        return np.stack([column[self._lamps] for column in columns], axis=1)

    def state(self, lamp: int) -> bytes:
        """The state message of one lamp."""
        lamps, bank = self._simulation.plant.lamps, self._simulation.bank
        level = float(lamps.level_percent[lamp])
        return msgspec.json.encode(
            {
                "ts": self._clock.civil_ms(),
                "on": level > 0,
                "dim": round(level),
                "u": round(float(bank.lamp_voltage_v[lamp]), 1),
                "i": round(float(bank.lamp_current_a[lamp]), 3),
                "p": round(float(bank.lamp_power_w[lamp]), 1),
                "pf": round(float(bank.lamp_power_factor[lamp]), 3),
                "e": round(float(bank.lamp_energy_wh[lamp])),
                "t": round(float(lamps.temperature_c[lamp]), 1),
                "h": round(float(lamps.burning_h[lamp]), 1),
                "n": int(lamps.starts[lamp]),
                "rssi": int(lamps.rssi_dbm[lamp]),
                "f": int(lamps.fault_bits[lamp]),
            }
        )


def _seen(ended: "asyncio.Future[None]") -> None:
    if not ended.cancelled():
        ended.exception()
