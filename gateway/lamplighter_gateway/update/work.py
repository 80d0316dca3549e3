"""`gateway.update`: fetched, checked, installed and tried; a restart in between goes on where it was."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from lamplighter_contract.commands.command import Command
from lamplighter_contract.commands.results import DeviceResult
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.files import FileName, file_name
from lamplighter_contract.wire.limits import MAX_TEXT
from lamplighter_gateway.update.desk import UpdateDesk
from lamplighter_gateway.update.fetching import Fetching
from lamplighter_gateway.update.installing import install
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import Installed

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
END_S: Final = 60.0  # in which a gateway that is to be started anew ends


class UpdateWork:
    """One update at a time. The command is answered by whichever version runs in the end."""

    def __init__(self, place: Place, fetching: Fetching, desk: UpdateDesk, root_key: bytes) -> None:
        """Bundles are signed by the root key."""
        self._place, self._fetching, self._desk, self._root_key = place, fetching, desk, root_key
        self._one_at_a_time = asyncio.Lock()

    async def carry_out(self, command: Command) -> DeviceResult:
        """Verified when the version has proven itself, failed when it was refused or taken back."""
        name = file_name(command.args["bundle"])
        assert name is not None, "the contract has checked it"
        async with self._one_at_a_time:
            while True:
                ended = self._ended(name, command)
                if ended is not None:
                    return ended
                trial = self._place.load().trial
                if trial is None or trial.sha256 != name.sha256:
                    break
                await asyncio.sleep(LOOK_S)
            return await self._bring(name, command)

    def _ended(self, name: FileName, command: Command) -> DeviceResult | None:
        slots = self._place.load()
        if slots.good.sha256 == name.sha256:
            return DeviceResult("", CommandState.VERIFIED, "", {"detail": f"version {slots.good.version} runs"})
        why = dict(slots.failed).get(name.sha256, "")
        if why and slots.asked == command.id:
            return DeviceResult("", CommandState.FAILED, f"taken back: {why}"[:MAX_TEXT])
        return None

    async def _bring(self, name: FileName, command: Command) -> DeviceResult:
        try:
            bundle = await self._fetching.fetch(name)
            installed = await asyncio.to_thread(self._install, bundle)
        except (OSError, BlockingIOError) as error:
            return DeviceResult("", CommandState.FAILED, f"not installed: {error}"[:MAX_TEXT])
        if isinstance(installed, Refusal):
            self._fetching.drop()
            words = f"{installed.reason}: {installed.detail}"[:MAX_TEXT]
            log.warning("an update was refused (%s); the version that runs stays", words)
            return DeviceResult("", CommandState.FAILED, words)
        answer = self._desk.begin(installed, command.by, asked=command.id)
        if "error" in answer:
            return DeviceResult("", CommandState.FAILED, str(answer["error"]))
        self._fetching.drop()
        await asyncio.sleep(END_S)
        return DeviceResult("", CommandState.FAILED, "it did not end to start the new version")

    def _install(self, bundle: Path) -> Installed | Refusal:
        with self._place.alone():
            return install(bundle, self._place, self._root_key)
