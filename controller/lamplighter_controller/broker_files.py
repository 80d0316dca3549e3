"""The broker's files kept in line with the ledger: who is revoked is out within the second."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from lamplighter_controller.config import BrokerConfig
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import credentials, mosquitto
from lamplighter_controller.security.mosquitto import BrokerFilesWrong

log = logging.getLogger(__name__)

ALARM: Final = "broker-files"
USUAL_USER: Final = "controller"


class BrokerFiles:
    """Writes the files and tells the broker whenever gateways or their passwords changed, if files are named."""

    def __init__(self, config: BrokerConfig, ledger: Ledger, alarms: Alarms) -> None:
        """Keep the files that `config` names."""
        self._config, self._ledger, self._alarms = config, ledger, alarms
        self._one_by_one = asyncio.Lock()

    async def changed(self) -> None:
        """Bring the files in line with the ledger; what cannot be done is an alarm until it was.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        if self._config.files is None:
            return
        async with self._one_by_one:
            ours, lines = await self._ledger.read(lambda ledger: (credentials.known(ledger), credentials.lines(ledger)))
            try:
                await asyncio.to_thread(apply, self._config, ours, lines)
            except BrokerFilesWrong as error:
                self._alarms.raised(ALARM, f"revoked gateways may still be let in: {error}")
            else:
                self._alarms.cleared(ALARM)


def apply(config: BrokerConfig, ours: frozenset[str], lines: Mapping[str, str]) -> None:
    """Write the files and tell the broker.

    Raises:
        BrokerFilesWrong: one or the other failed.
    """
    if config.files is None:
        return
    changed = mosquitto.write(config.files, config.user or USUAL_USER, ours, lines)
    if changed and config.pid_file is not None:
        mosquitto.reload(config.pid_file)
        log.info("the broker reads its users anew: %d gateways", len(lines))
