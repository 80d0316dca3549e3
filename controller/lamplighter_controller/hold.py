"""The hold of a restored controller: it stores and acknowledges, and tells nobody to do anything until released."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.commands import progress
from lamplighter_controller.intake import store
from lamplighter_controller.intake.gateways import Gateways, Unheard
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.lighting import records
from lamplighter_controller.security import audit

HELD: Final = "held"  # the alarm's key
RESTORED: Final = "restored"  # a file in the data folder: the next start begins held, wherever its ledger is
RESTORING: Final = "restoring"  # a file in the data folder while a backup is put back into it
WHY: Final = "this controller was restored from a backup and waits for a person to release it"


@dataclass(slots=True)
class Hold:
    """Whether commands and plans are held back."""

    held: bool = False


def begin(connection: Connection, *, time_ms: int) -> None:
    """Hold a ledger that was restored from a backup; what waits in it may have been sent after the backup was made."""
    store.set_held(connection, held=True)
    progress.distrust(connection, time_ms)
    records.raise_floor(connection, time_ms)


def release(connection: Connection, *, who: str, reason: str, time_ms: int, unheard: Unheard | None = None) -> bool:
    """End the hold in the ledger, with its audit entry that names whom nobody waited for; False when there is none."""
    if not store.is_held(connection):
        return False
    store.set_held(connection, held=False)
    audit.record(
        connection,
        who=who,
        action="controller.release",
        subject="controller",
        reason=reason,
        result="done",
        detail={"unheard": list(unheard.gateways)} if unheard else {},
        time_ms=time_ms,
    )
    return True


def _nobody(_gateway: str) -> bool:
    """No box has to take anything over."""
    return False


@dataclass(frozen=True, slots=True)
class Standing:
    """What commanding may know of gateways: who may be commanded, who is there, which numbers were seen."""

    gateways: Gateways
    hold: Hold
    awaited: Callable[[str], bool] = _nobody

    def refusal(self, gateway: str) -> Refusal | None:
        """Why no command may go to it, None when one may."""
        if self.hold.held:
            return Refusal(Reason.LOCKED, WHY)
        if gateway not in self.gateways.enrolled:
            return Refusal(Reason.UNKNOWN_GATEWAY, f"{gateway} is not enrolled")
        if self.gateways.doubled(gateway):
            return Refusal(Reason.ADDRESS, f"two gateways use the id {gateway}")
        return None

    def online(self, gateway: str) -> bool:
        """True while its last birth stands, and it is no box that still has to take over what another one held."""
        return not self.awaited(gateway) and self.gateways.status(gateway) in {Status.ONLINE, Status.STALE}

    def highest_seq(self, gateway: str) -> int:
        """The highest command number it has told us it saw, 0 when it never did."""
        state = self.gateways.report(gateway).state
        return state.highest_seq if state else 0
