"""What is wanted of each lamp now: overrides by the contract's level function, and lamps still to be handed back.

The ledger keeps it on disk; this is its mirror in memory, changed only after the ledger's commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from lamplighter_contract.level import Level, Override, level


class Desired:
    """Overrides by device, and `held`: lamps taken out of their own schedule by us and not yet given back.

    `resumed`: the highest number of a resume by device.
    """

    def __init__(
        self,
        overrides: Iterable[Override] = (),
        held: Iterable[str] = (),
        resumed: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Begin with what the ledger holds."""
        self._overrides: dict[str, list[Override]] = {}
        self.held = set(held)
        self.resumed = dict(resumed)
        self.add(overrides)

    def add(self, overrides: Iterable[Override]) -> None:
        """New overrides; their lamps are held from now on.

        An older one that ends no later can never decide again, unless it is an emergency and the newer is not.
        """
        for new in overrides:
            others = self._overrides.get(new.device, [])
            self._overrides[new.device] = [record for record in others if _may_decide(record, new)] + [new]
            self.held.add(new.device)

    def replace(self, overrides: Iterable[Override]) -> None:
        """These are in force from now on, and no others."""
        self._overrides = {}
        self.add(overrides)

    def end(self, devices: Iterable[str], seq: int) -> None:
        """A resume of number `seq`: every override at or below it ends; the lamps are to be handed back."""
        for device in devices:
            self._keep(device, [record for record in self._overrides.get(device, []) if record.seq > seq])
            self.resumed[device] = max(seq, self.resumed.get(device, seq))
            self.held.add(device)

    def drop_ended(self, now_ms: int) -> list[Override]:
        """Forget overrides whose end has passed (civil ms); those forgotten."""
        ended = [record for records in self._overrides.values() for record in records if record.until_ms <= now_ms]
        for device in {record.device for record in ended}:
            self._keep(device, [record for record in self._overrides[device] if record.until_ms > now_ms])
        return ended

    def hand_back(self, device: str) -> None:
        """The lamp follows its own schedule again."""
        self.held.discard(device)

    def level(self, device: str, now_ms: int) -> Level:
        """The level wanted of a lamp at a civil time, and why."""
        return level(self._overrides.get(device, ()), device, now_ms)

    def levels(self, now_ms: int) -> Mapping[str, float]:
        """Levels wanted now, of the lamps that have one."""
        found = {device: self.level(device, now_ms).level_percent for device in self._overrides}
        return {device: percent for device, percent in found.items() if percent is not None}

    def of(self, device: str) -> Sequence[Override]:
        """The overrides of one device."""
        return self._overrides.get(device, ())

    def overrides(self) -> list[Override]:
        """All of them."""
        return [record for records in self._overrides.values() for record in records]

    def _keep(self, device: str, records: list[Override]) -> None:
        if records:
            self._overrides[device] = records
        else:
            self._overrides.pop(device, None)


def _may_decide(record: Override, new: Override) -> bool:
    outranks = record.emergency and not new.emergency
    return outranks or record.issued_ms > new.issued_ms or record.until_ms > new.until_ms
