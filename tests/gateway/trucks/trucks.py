"""A bus of trucks in memory: they drive, obey or lie, and can be out of reach."""

import asyncio
from dataclasses import dataclass, field, replace

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_gateway.drivers.port import BusStatus, Instructed, Outcome, Point, ReadFailed, Reading, Value, Written

CAPABILITIES = (
    "truck.limit_speed",
    "truck.limit_lift",
    "truck.release",
    "truck.speak",
    "truck.locate",
    "truck.evidence",
    "truck.parameters",
    "truck.fence",
    "truck.control",
)


def truck_entry(device):
    return DeviceEntry(device, Kind.TRUCK, "zt-8f", "trackers/1", CAPABILITIES)


class Disk:
    """Limits in memory."""

    def __init__(self):
        self.limits = {}

    def put(self, limit):
        """A newer one takes the place of one before it, and what that one set is in force until then."""
        before = self.limits.get(limit.key, limit)
        self.limits[limit.key] = replace(limit, sent=before.sent, confirmed=before.confirmed)

    async def release(self, key):
        self.limits[key] = replace(self.limits[key], released=True)

    async def note_limit(self, limit):
        kept = self.limits.get(limit.key)
        if kept is None or kept.command != limit.command:
            return False
        self.limits[limit.key] = replace(kept, sent=limit.sent, confirmed=limit.confirmed)
        return kept.released == limit.released

    async def forget_limit(self, limit):
        if limit.key in self.limits and self.limits[limit.key].command == limit.command:
            del self.limits[limit.key]


@dataclass
class Truck:
    """How one drives now; `limit` is what its terminal enforces, 0 = nothing."""

    speed_kmh: float | None = 60.0
    limit: float = 0.0
    lift_limited: bool = False
    lift: str = "flat"
    online: bool = True
    obeys: bool = True
    ends_limits: bool = False
    said: list[str] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)


class MemoryTrackers:
    """The bus."""

    def __init__(self, clock, *devices):
        self.clock = clock
        self.trucks = {device: Truck() for device in devices}
        self.readings = {}
        self.instructed = []
        self.order = []  # to whom bounds went, one after the other
        self.losing = 0  # so many bounds get lost on the way
        self.tell_login = lambda _device: None

    async def run(self):
        await asyncio.Event().wait()

    def attach(self, store, keep, logged_in):
        self.tell_login = logged_in

    def record_to(self, record):
        self.record = record

    def log_in(self, device):
        self.trucks[device].online = True
        self.report(device)
        self.tell_login(device)

    def report(self, device, *, age_ms=0):
        truck = self.trucks[device]
        values: dict[str, Value] = {"latitude": 36.65, "longitude": 117.12, "lift": truck.lift, "ignition": True}
        values |= {"speed_limited": truck.limit > 0, "lift_limited": truck.lift_limited}
        if truck.speed_kmh is not None:
            values["speed_kmh"] = truck.speed_kmh
        self.readings[device] = Reading(device, Kind.TRUCK, self.clock.civil_ms() - age_ms, values)
        return self.readings[device]

    async def read(self, device, timeout_s):
        return self.report(device) if self.trucks[device].online else ReadFailed(device, "not connected")

    async def write(self, writes, applied, *, broadcast):
        return [self._write(write) for write in writes]

    def _write(self, write):
        truck = self.trucks[write.device]
        if not truck.online:
            return Written(write.device, Outcome.FAILED, "not connected", answered=False)
        if write.point is Point.SPEAK:
            truck.said.append(write.text)
            return Written(write.device, Outcome.APPLIED)
        if write.point is Point.SPEED_LIMIT and self.losing:
            self.losing -= 1
            return Written(write.device, Outcome.UNCONFIRMED, "no answer from the terminal", answered=False)
        if write.point is Point.SPEED_LIMIT:
            truck.bounds.append(write.value)
            self.order.append((write.device, write.value))
        if truck.obeys:
            if write.point is Point.SPEED_LIMIT:
                truck.limit = write.value
                if write.value and truck.speed_kmh is not None:
                    truck.speed_kmh = min(truck.speed_kmh, write.value)
            else:
                truck.lift_limited = bool(write.value)
            return Written(write.device, Outcome.VERIFIED, "", self.report(write.device))
        return Written(write.device, Outcome.FAILED, "acknowledged, but not in effect", self.report(write.device))

    async def instruct(self, device, operation, args, timeout_s):
        self.instructed.append((device, operation, args))
        if operation is Operation.TRUCK_PARAMETERS:
            return Instructed(Outcome.VERIFIED, "", {"0x0055": 60})
        return Instructed(Outcome.APPLIED)

    def latest(self, device):
        return self.readings.get(device)

    def online(self, device):
        return self.trucks[device].online

    def ends_limits(self, device):
        return self.trucks[device].ends_limits

    def strangers(self):
        return ()

    def status(self):
        return BusStatus("trackers", "jt808", True, len(self.trucks), (), 0, 0, 0, 0, 0, 0, 0, "")
