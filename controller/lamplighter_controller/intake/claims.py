"""Who may take a device onto its list: one that a gateway serves stays with it for as long as that gateway is there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.twin.columns import Twin


@dataclass(slots=True)
class Claim:
    """A list of which some devices are other gateways'; `due` when it is to be looked at again."""

    entries: Sequence[DeviceEntry]
    owners: frozenset[str]
    due: bool = False


class Claims:
    """Lists that name devices of other gateways, one per gateway, kept until that is settled."""

    def __init__(self, twin: Twin, gateways: Gateways, alarms: Alarms) -> None:
        """Begin with none."""
        self._twin, self._gateways, self._alarms = twin, gateways, alarms
        self._open: dict[str, Claim] = {}

    def granted(self, gateway: str, entries: Sequence[DeviceEntry]) -> Sequence[DeviceEntry]:
        """What of a list its gateway may serve now; the rest raises an alarm and is remembered."""
        disputed = {entry.device: owner for entry in entries if (owner := self._holder(entry.device, gateway))}
        if not disputed:
            self._settled(gateway)
            return entries
        self._open[gateway] = Claim(entries, frozenset(disputed.values()))
        device, owner = next(iter(disputed.items()))
        text = (
            f"{gateway} lists {device} (and {len(disputed) - 1} more), which {owner} serves and keeps while it is there"
        )
        self._alarms.raised(_key(gateway), text)
        return [entry for entry in entries if entry.device not in disputed]

    def revisit(self, owner: str) -> None:
        """The list of `owner` is new, it may have given up what others claim."""
        for claim in self._open.values():
            claim.due = claim.due or owner in claim.owners

    def due(self) -> Iterable[tuple[str, Sequence[DeviceEntry]]]:
        """Gateways and their lists that may be granted more than before."""
        for gateway in self._open.keys() - self._gateways.enrolled:
            self._settled(gateway)
        return [
            (gateway, claim.entries)
            for gateway, claim in self._open.items()
            if claim.due or not all(map(self._holds, claim.owners))
        ]

    def _holder(self, device: str, gateway: str) -> str | None:
        owner = self._twin.gateway_of(device)
        return owner if owner is not None and owner != gateway and self._holds(owner) else None

    def _holds(self, owner: str) -> bool:
        return owner in self._gateways.enrolled and self._gateways.status(owner) is not Status.OFFLINE

    def _settled(self, gateway: str) -> None:
        if self._open.pop(gateway, None) is not None:
            self._alarms.cleared(_key(gateway))


def _key(gateway: str) -> str:
    return f"devices-disputed:{gateway}"
