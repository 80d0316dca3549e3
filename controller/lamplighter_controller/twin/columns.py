"""The twin of every device: who serves it, and what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.series.port import Readings
from lamplighter_controller.twin.kind import NOBODY, KindColumns, Rows, Snapshot


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device now; `values` holds only what is known, `received_s` is None when nothing came since this start."""

    device: str
    kind: Kind
    gateway: str | None
    time_ms: int
    received_s: float | None
    quality: int
    values: dict[str, float]


class Twin:
    """Columns per kind, and the entry of every device that is served. Unknown stays unknown: NaN, never zero."""

    def __init__(self) -> None:
        """Begin with no device."""
        self.version = 0
        self._kinds = {kind: KindColumns(kind) for kind in Kind}
        self._entries: dict[str, DeviceEntry] = {}
        self._gateways: list[str] = []
        self._number_of: dict[str, int] = {}
        self._served: dict[str, frozenset[str]] = {}

    def adopt(self, gateway: str, entries: Sequence[DeviceEntry]) -> list[str]:
        """Take the list of what a gateway serves in place of its former one; returns devices taken from another.

        The gateway that spoke last serves a device that two of them claim.
        """
        number = self._number(gateway)
        self.version += 1
        taken = []
        for device in self._served.get(gateway, frozenset()).difference(entry.device for entry in entries):
            self._release(device, number)
        for entry in entries:
            former = self._owner(entry.device)
            if former not in {NOBODY, number}:
                taken.append(entry.device)
            self._serve(entry, number)
        self._served[gateway] = frozenset(entry.device for entry in entries)
        return taken

    def rows(self, gateway: str, kind: Kind, devices: Sequence[str]) -> Rows:
        """Rows of devices that this gateway serves, -1 for all others."""
        columns = self._kinds[kind]
        rows = columns.rows(devices)
        return np.where(columns.gateway[rows] == self._number_of.get(gateway, NOBODY - 1), rows, NOBODY)

    def apply(self, readings: Readings, received_s: float, rows: Rows | None = None) -> None:
        """Take readings that are newer than what is known; those of devices never adopted are left out.

        Who has asked for their `rows` already hands them in, as long as `reused` is what it was then.
        """
        self.version += 1
        columns = self._kinds[readings.kind]
        columns.apply(readings, received_s, self.version, columns.rows(readings.device) if rows is None else rows)

    @property
    def reused(self) -> int:
        """How often a row was given to another device: rows found before are no longer to be relied on."""
        return sum(columns.reused for columns in self._kinds.values())

    def entry(self, device: str) -> DeviceEntry | None:
        """What the gateway said the device is, None when no gateway serves it."""
        return self._entries.get(device)

    def entries(self) -> Sequence[DeviceEntry]:
        """Every device that is served."""
        return list(self._entries.values())

    def gateway_of(self, device: str) -> str | None:
        """The gateway that serves a device."""
        number = self._owner(device)
        return None if number == NOBODY else self._gateways[number]

    def served(self, gateway: str) -> frozenset[str]:
        """The devices on a gateway's list."""
        return self._served.get(gateway, frozenset())

    def state(self, device: str) -> DeviceState | None:
        """What is known of one device, None when no gateway serves it."""
        entry = self._entries.get(device)
        if entry is None:
            return None
        columns = self._kinds[entry.kind]
        row = columns.row_of[device]
        received_s = float(columns.received_s[row])
        known = {name: float(column[row]) for name, column in columns.values.items()}
        return DeviceState(
            device,
            entry.kind,
            self.gateway_of(device),
            int(columns.time_ms[row]),
            None if np.isnan(received_s) else received_s,
            int(columns.quality[row]),
            {name: value for name, value in known.items() if value == value},  # noqa: PLR0124 - NaN is not itself
        )

    def snapshot(self, kind: Kind) -> Snapshot:
        """All devices of a kind as they stand."""
        return self._kinds[kind].snapshot(self._gateways)

    def changed_since(self, version: int) -> dict[Kind, Rows]:
        """Rows of each kind that changed after `version`; kinds without any are left out."""
        changed = {}
        for kind, columns in self._kinds.items():
            rows = np.flatnonzero(columns.version[: len(columns.ids)] > version)
            if len(rows):
                changed[kind] = rows
        return changed

    def _number(self, gateway: str) -> int:
        if gateway not in self._number_of:
            self._number_of[gateway] = len(self._gateways)
            self._gateways.append(gateway)
        return self._number_of[gateway]

    def _owner(self, device: str) -> int:
        entry = self._entries.get(device)
        if entry is None:
            return NOBODY
        columns = self._kinds[entry.kind]
        return int(columns.gateway[columns.row_of[device]])

    def _serve(self, entry: DeviceEntry, number: int) -> None:
        former = self._entries.get(entry.device)
        if former is not None and former.kind is not entry.kind:
            self._release(entry.device, self._owner(entry.device))
        columns = self._kinds[entry.kind]
        row = columns.row(entry.device)
        if former != entry or columns.gateway[row] != number:
            columns.gateway[row] = number
            columns.version[row] = self.version
            self._entries[entry.device] = entry

    def _release(self, device: str, number: int) -> None:
        if self._owner(device) != number:
            return
        columns = self._kinds[self._entries.pop(device).kind]
        columns.release(device, self.version)
