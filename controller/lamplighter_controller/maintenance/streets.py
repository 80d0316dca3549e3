"""Keeps what is known of places in step with the inventory and what gateways serve."""

import asyncio

from sqlalchemy import Connection

from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.inventory import Cabinet, Inventory
from lamplighter_controller.maintenance.places import Streets
from lamplighter_controller.twin.columns import Twin


class StreetMap:
    """Read when it is asked for and the last reading is old, or something has changed."""

    def __init__(self, ledger: Ledger, twin: Twin) -> None:
        """Begin with nothing read."""
        self._ledger, self._twin = ledger, twin
        self._known: Streets | None = None
        self._lock = asyncio.Lock()

    def moved(self) -> None:
        """Something was entered anew, or gateways serve other devices."""
        self._known = None

    async def get(self) -> Streets:
        """The streets as they are known now.

        Raises:
            LedgerUnavailable: the database does not answer.
        """
        async with self._lock:
            if self._known is None:
                inventory, cabinets = await self._ledger.read(_read)
                served = frozenset(entry.device for entry in self._twin.entries())
                self._known = Streets(inventory, cabinets, served)
            return self._known


def _read(connection: Connection) -> tuple[Inventory, dict[str, Cabinet]]:
    cabinets = {one.id: one for one in store.every(connection, Cabinet) if isinstance(one, Cabinet)}
    return store.inventory(connection), cabinets
