"""What people ask of the running controller as a whole, from the API or the command line."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Refusal
from lamplighter_controller import backup, hold
from lamplighter_controller.broker_files import BrokerFiles
from lamplighter_controller.config import Config
from lamplighter_controller.control import ControlError, Handler
from lamplighter_controller.handover_keeper import HandoverKeeper
from lamplighter_controller.hold import Hold
from lamplighter_controller.intake.engine import Identity, Intake
from lamplighter_controller.intake.gateways import Unheard
from lamplighter_controller.keys_keeper import KeysKeeper
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit, credentials, enrolment, tokens
from lamplighter_controller.security import keys as key_files
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.rights import Right
from lamplighter_controller.series.port import Series

log = logging.getLogger(__name__)


class ProgramActions:
    """The API's and the control socket's way to what touches several rooms."""

    def __init__(
        self,
        config: Config,
        identity: Identity,
        ledger: Ledger,
        series: Series,
        intake: Intake,
        keeper: KeysKeeper,
        handovers: HandoverKeeper,
        held: Hold,
        clock: Clock,
        released: Sequence[Callable[[], None]],
        keys: Keys,
        signs_anew: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        """Act on these; `released` are called when a hold has ended, or gateways changed: what waited goes out."""
        self._config, self._identity, self._ledger, self._series = config, identity, ledger, series
        self._intake, self._keeper, self._hold, self._clock = intake, keeper, held, clock
        self._handovers = handovers
        self._released, self._keys, self._signs_anew = tuple(released), keys, tuple(signs_anew)
        self._copying = asyncio.Lock()
        self._broker_files = BrokerFiles(config.broker, ledger, intake.alarms)

    async def begin(self) -> None:
        """Bring the broker's files in line with what was changed while nothing ran."""
        await self._broker_files.changed()

    async def enrolment_changed(self) -> None:
        """Listen to the gateways that are enrolled now, and give them the keys and what they have to take over."""
        await self._broker_files.changed()  # first: who is revoked is to be out before anything else
        await self._intake.enrolment_changed()
        self._keeper.enrolment_changed()
        await self._handovers.enrolment_changed()
        for wake in self._released:
            wake()

    def held(self) -> bool:
        """True while a restored controller sends neither plans nor commands."""
        return self._hold.held

    async def release(self, *, who: str, reason: str, anyway: bool) -> bool | Unheard:
        """End the hold, with its audit entry; False when there is none."""
        wall_ms, unheard = self._clock.wall_ms(), self._intake.gateways.unheard()
        if unheard and self._hold.held and not anyway:
            return unheard
        released = await self._ledger.write(
            lambda connection: hold.release(connection, who=who, reason=reason, time_ms=wall_ms, unheard=unheard)
        )
        self._hold.held = False
        self._intake.alarms.cleared(hold.HELD)
        for wake in self._released:
            wake()
        return released

    async def backup(self, *, who: str) -> str:
        """Write a backup into the data folder and return where it is."""
        return str(await self.backup_to(self._config.data / "backups" / str(self._clock.wall_ms()), who=who))

    async def backup_to(self, target: Path, *, who: str) -> Path:
        """Write a backup as a new folder, one at a time."""
        about = {
            "controller": self._identity.controller,
            "epoch": self._identity.epoch,
            "wall_ms": self._clock.wall_ms(),
        }
        async with self._copying:
            await backup.make(self._config, self._series, target, about)
        await self._ledger.write(lambda connection: self._record(connection, who, "controller.backup", str(target)))
        return target

    def handlers(self) -> dict[str, Handler]:
        """What the control socket answers."""
        return {
            "status": self._status,
            "backup": self._ask_backup,
            "release": self._ask_release,
            "enrol": self._ask_enrolment,
            "replace": self._ask_enrolment,
            "revoke": self._ask_enrolment,
            "token": self._ask_token,
            "credential": self._ask_credential,
            "keys": self._ask_keys,
        }

    async def _status(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        gateways = self._intake.gateways
        return {
            "controller": self._identity.controller,
            "epoch": self._identity.epoch,
            "held": self._hold.held,
            "storing": self._intake.storing,
            "stored": self._intake.readings.stored,
            "gateways": {name: gateways.status(name) for name in sorted(gateways.enrolled)},
            "strangers": sorted(gateways.strangers),
            "counts": {**self._intake.reception.counts, "alarms-lost": self._intake.alarms.lost},
            "alarms": {alarm.key: alarm.text for alarm in self._intake.alarms.active()},
        }

    async def _ask_backup(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        target = Path(str(wanted.get("to", "")))
        if not target.is_absolute():
            raise ControlError(f"to is {str(target)!r}, expected an absolute path")
        return {"backup": str(await self.backup_to(target, who=_who(wanted)))}

    async def _ask_release(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        anyway = wanted.get("anyway") is True
        released = await self.release(who=_who(wanted), reason=_reason(wanted), anyway=anyway)
        if isinstance(released, Unheard):
            raise ControlError(f"{released}: --anyway")
        return {"released": released}

    async def _ask_enrolment(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = await self._ledger.write(
            lambda connection: change_enrolment(connection, wanted, self._clock.wall_ms())
        )
        await self.enrolment_changed()
        return changed

    async def _ask_credential(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        made = await self._ledger.write(lambda connection: make_credential(connection, wanted, self._clock.wall_ms()))
        await self._broker_files.changed()
        return made

    async def _ask_keys(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take up the keys that lie in the keys folder now: first gateways are told of them, then they sign."""
        fresh = await asyncio.to_thread(key_files.load, self._config.keys_folder)
        await self._keeper.renew(fresh.document)
        self._keys.exchange(fresh)
        for sign_anew in self._signs_anew:
            await sign_anew()
        await self._ledger.write(
            lambda connection: self._record(connection, _who(wanted), "keys.rotate", fresh.signer.kid)
        )
        return {"kid": fresh.signer.kid}

    async def _ask_token(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._ledger.write(lambda connection: make_token(connection, wanted, self._clock.wall_ms()))

    def _record(self, connection: Connection, who: str, action: str, detail: str) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject="controller",
            reason="",
            result="done",
            detail={"path": detail},
            time_ms=self._clock.wall_ms(),
        )


_ENROLMENT: Final = {"enrol": enrolment.enrol, "replace": enrolment.replace, "revoke": enrolment.revoke}


def change_enrolment(connection: Connection, wanted: Mapping[str, Any], wall_ms: int) -> Mapping[str, Any]:
    """Accept a gateway, put another box in its place, or accept it no more.

    Raises:
        ControlError: it is enrolled already, or is not, or its id is none.
    """
    change, gateway = _ENROLMENT[wanted["do"]], str(wanted.get("gateway", ""))
    changed = change(connection, gateway, who=_who(wanted), reason=_reason(wanted), time_ms=wall_ms)
    if isinstance(changed, Refusal):
        raise ControlError(changed.detail)
    return {"gateway": changed.gateway, "generation": changed.generation}


def make_credential(connection: Connection, wanted: Mapping[str, Any], wall_ms: int) -> Mapping[str, Any]:
    """A gateway's new password at the broker, or a code that brings one; either is seen this one time.

    Raises:
        ControlError: no such gateway is enrolled.
    """
    make = credentials.offer if wanted.get("code") else credentials.issue
    gateway = str(wanted.get("gateway", ""))
    made = make(
        connection, gateway, who=_who(wanted), reason=_reason(wanted), time_ms=wall_ms, random=secrets.token_bytes
    )
    if isinstance(made, Refusal):
        raise ControlError(made.detail)
    return {"gateway": gateway, "secret": made}


def make_token(connection: Connection, wanted: Mapping[str, Any], wall_ms: int) -> Mapping[str, Any]:
    """A new API token, seen this one time.

    Raises:
        ControlError: the name is taken or none, or a right is unknown.
    """
    words = [str(word) for word in wanted.get("rights", ())]
    if not words or not set(words) <= set(Right):
        raise ControlError(f"rights are {' '.join(words)!r}, expected some of {' '.join(Right)}")
    made = tokens.create(
        connection,
        str(wanted.get("name", "")),
        [Right(word) for word in words],
        who=_who(wanted),
        reason=_reason(wanted),
        time_ms=wall_ms,
        random=secrets.token_bytes,
    )
    if isinstance(made, Refusal):
        raise ControlError(made.detail)
    return {"token": made}


def _who(wanted: Mapping[str, Any]) -> str:
    return f"cli:{str(wanted.get('who', 'unknown'))[:64]}"


def _reason(wanted: Mapping[str, Any]) -> str:
    return str(wanted.get("reason", ""))[:500]
