"""Puts notices on their way and sends them again until they arrive; what was sent is never sent twice."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from lamplighter_controller.maintenance.around import Around
from lamplighter_controller.maintenance.notices import records
from lamplighter_controller.maintenance.notices.notice import Channel, Letter, Notice, notices, put_off_ms, tried
from lamplighter_controller.maintenance.notices.sending import Send, send
from lamplighter_controller.maintenance.orders import records as orders
from lamplighter_controller.maintenance.orders.order import RUNNING

AT_ONCE: Final = 20
ALARM: Final = "notices-{}"


class NoticeDesk:
    """Notices of orders. Raises LedgerUnavailable; what was due then is due at the next look."""

    def __init__(self, around: Around, channels: Sequence[Channel], sends: Send = send) -> None:
        """`sends` brings one notice through one channel."""
        self._around, self._sends = around, sends
        self._channels = {one.id: one for one in channels}

    async def look(self) -> None:
        """Put on its way what orders give to tell, and send what is due."""
        if self._channels:
            await self._around.ledger.write(self._put)
            await self._send_due()

    async def some(self, order: str | None, limit: int) -> list[Letter]:
        """The newest first."""
        return await self._around.ledger.read(lambda connection: records.some(connection, order, limit))

    def _put(self, connection: Connection) -> None:
        around, now_ms = self._around, self._around.clock.civil_ms()
        standing = orders.in_states(connection, RUNNING)
        found = list(notices(standing, around.settings.escalate_ms, now_ms))
        before = records.known(connection, [one.id for one in found])
        for notice in found:
            for channel in self._channels.values():
                if channel.takes(notice) and (channel.id, notice.id) not in before:
                    records.put(connection, self._letter(channel, notice, now_ms))

    def _letter(self, channel: Channel, notice: Notice, now_ms: int) -> Letter:
        wait_ms = put_off_ms(channel, notice, now_ms, self._around.zone) / self._around.rate
        return Letter(notice, channel.id, self._around.clock.wall_ms() + round(wait_ms))

    async def _send_due(self) -> None:
        wall_ms = self._around.clock.wall_ms()
        for letter in await self._around.ledger.read(lambda connection: records.due(connection, wall_ms, AT_ONCE)):
            channel = self._channels.get(letter.channel)
            error = "this channel is no longer there"
            if channel is not None:
                error = await self._sends(channel, letter.notice, self._around.clock.wall_ms())
            after = tried(letter, error, self._around.clock.wall_ms())
            await self._around.ledger.write(partial(records.put, letter=after))
            self._told(after)

    def _told(self, letter: Letter) -> None:
        """A channel that fails is an alarm until it takes something again."""
        if letter.sent_ms:
            self._around.alarms.cleared(ALARM.format(letter.channel))
        elif letter.tries > 1:
            text = f"notices through {letter.channel} do not arrive: {letter.error}"
            self._around.alarms.raised(ALARM.format(letter.channel), text)
