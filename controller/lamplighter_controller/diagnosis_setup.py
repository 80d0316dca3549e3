"""What diagnosis is told about the city: the inventory where it knows, the gateways' lists of devices where not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.config import Config, DiagnosisConfig
from lamplighter_controller.diagnosis.assembling import Places
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.diagnosis.live.city import Rules, Supply
from lamplighter_controller.diagnosis.live.collector import Sight
from lamplighter_controller.diagnosis.models import LampModel
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.adaptive.station import Standing
from lamplighter_controller.lighting.inventory import Cabinet, Inventory, Luminaire, Model
from lamplighter_controller.twin.columns import Twin


def rules_of(config: Config, rate: float) -> Rules:
    """How the city wants incidents to be handled; civil time runs `rate` times as fast as real time."""
    its = config.diagnosis
    return Rules(
        step_s=its.step_s,
        step_ms=max(round(its.step_s * 1000 * rate), 1),
        checkpoint_s=its.checkpoint_s,
        dwell_s=its.dwell_s,
        sla=Sla(its.sla_hours, its.sla_working_days, frozenset(its.holidays), config.city.zone),
        tests_from_h=its.tests_from_h,
        tests_until_h=its.tests_until_h,
    )


def sight_of(gateways: Gateways, gateway: str) -> Sight:
    """What may be concluded of its devices' silence: nothing, while our own connection keeps it out of sight."""
    status = gateways.status(gateway)
    if status is Status.UNKNOWN:
        return Sight.UNSEEN
    return Sight.HEARD if status is Status.ONLINE else Sight.GONE


async def rain_told(standings: Callable[[], Awaitable[Sequence[Standing]]], name: str) -> float:
    """What the weather signal of that name says, 1 = it rains; NaN while nobody says anything that still counts."""
    try:
        found = next((one.signal for one in await standings() if one.source.id == name), None)
    except LedgerUnavailable:
        return nan
    return nan if found is None or isinstance(found.value, str) else found.value


@dataclass(frozen=True, slots=True)
class SupplyMap:
    """Where everything hangs; both are read each time it is asked."""

    ledger: Ledger
    twin: Twin
    config: DiagnosisConfig

    async def find(self) -> Supply:
        """The supply of the city as it is known now.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        inventory = await self.ledger.read(store.inventory)
        listed = await self.ledger.read(lambda connection: store.every(connection, Cabinet))
        entries = {one.device: (one, self.twin.gateway_of(one.device) or "") for one in self.twin.entries()}
        return await asyncio.to_thread(self._supply, inventory, [one.id for one in listed], _Served(entries))

    def _supply(self, inventory: Inventory, listed: Sequence[str], served: "_Served") -> Supply:
        cabinets = dict.fromkeys([*listed, *served.names(Kind.CABINET)])
        places = Places(
            lamps=tuple(_lamps(inventory, served)),
            cabinets=tuple(self._cabinet(name, served) for name in cabinets),
            circuits=tuple(_circuits(inventory, served)),
            protectors=tuple(ProtectorPlace(one.id, one.cabinet, one.circuit or "") for one in self.config.protectors),
        )
        return Supply(places, {name: _model(one) for name, one in inventory.models.items()})

    def _cabinet(self, name: str, served: "_Served") -> CabinetPlace:
        meter = name if name in served.entries else ""
        return CabinetPlace(name, meter, "", served.gateway(name), name in self.config.isolates)


@dataclass(frozen=True, slots=True)
class _Served:
    """Devices as gateways list them, with the gateway of each."""

    entries: Mapping[str, tuple[DeviceEntry, str]]

    def names(self, kind: Kind) -> Iterable[str]:
        return [name for name, (entry, _) in self.entries.items() if entry.kind is kind]

    def gateway(self, device: str) -> str:
        found = self.entries.get(device)
        return found[1] if found else ""

    def cabinet_of(self, device: str) -> str:
        """The one supply point on the same bus, or the only one of the same gateway; empty when that is not clear."""
        entry, gateway = self.entries[device]
        mine = [
            (other.address, name)
            for name, (other, its) in self.entries.items()
            if its == gateway and other.kind is Kind.CABINET
        ]
        same_bus = [name for address, name in mine if _bus(address) == _bus(entry.address)]
        found = same_bus or [name for _, name in mine]
        return found[0] if len(found) == 1 else ""


def _bus(address: str) -> str:
    return address.rpartition("/")[0]


def _lamps(inventory: Inventory, served: _Served) -> Iterable[LampPlace]:
    for luminaire in inventory.luminaires.values():
        yield _luminaire(luminaire, inventory, served)
    known = inventory.by_device
    cabinets: dict[tuple[str, str], str] = {}
    for name in served.names(Kind.LAMP):
        if name not in known:
            entry, gateway = served.entries[name]
            bus = gateway, _bus(entry.address)
            if bus not in cabinets:
                cabinets[bus] = served.cabinet_of(name)
            yield LampPlace(name, name, cabinets[bus], gateway=gateway)


def _luminaire(one: Luminaire, inventory: Inventory, served: _Served) -> LampPlace:
    """A lamp goes by its controller's name, so that people find it; one without by its own."""
    circuit = inventory.circuits.get(one.circuit or "")
    phase = one.phase or (circuit.phase if circuit else None)
    return LampPlace(
        id=one.device or one.id,
        device=one.device or "",
        cabinet=one.cabinet or (circuit.cabinet if circuit else ""),
        circuit=one.circuit or "",
        phase=phase.value if phase else "",
        feeder=one.feeder,
        pole=one.pole,
        order=one.pole_order,
        model=one.model or "",
        gateway=served.gateway(one.device or ""),
    )


def _circuits(inventory: Inventory, served: _Served) -> Iterable[CircuitPlace]:
    for circuit in inventory.circuits.values():
        yield CircuitPlace(circuit.id, circuit.cabinet, circuit.phase.value, served.gateway(circuit.id))
    for name in served.names(Kind.CIRCUIT):
        if name not in inventory.circuits:
            yield CircuitPlace(name, served.cabinet_of(name), gateway=served.gateway(name))


def _model(one: Model) -> LampModel:
    points = (point.partition(":") for point in one.curve)
    curve = tuple(sorted((float(level), float(watts)) for level, _, watts in points))
    aging = (point.partition(":") for point in one.clo)
    clo = tuple(sorted((float(hours), float(percent)) for hours, _, percent in aging))
    return LampModel(one.id, one.rated_w, one.source.value, curve, clo)
