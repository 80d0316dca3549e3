"""Which levels by hand are in force for devices, as far as the centre was told."""

from collections import defaultdict
from typing import Final

from lamplighter_contract.level import Override, rank
from lamplighter_controller.api.services import Services
from lamplighter_controller.commands.model import Order, Request
from lamplighter_controller.lighting.overrides.standing import LEVELS, standing

COMMANDS_READ: Final = 20


async def in_force(services: Services, device: str) -> tuple[tuple[Override, ...], dict[str, Request]]:
    """The overrides its gateway has taken, and the request of each by the override's id."""
    orders: list[Order] = []
    for overview in await services.commands.recent(device=device, limit=COMMANDS_READ):
        if overview.request.op in LEVELS:
            submitted = await services.commands.request(overview.request.id)
            orders += [order for order in submitted.orders if device in order.parts] if submitted else []
    taken = standing(orders, 0, services.clock.civil_ms()).taken
    return tuple(one for one in taken if one.device == device), {order.id: order.request for order in orders}


async def by_device(services: Services) -> dict[str, tuple[Override, ...]]:
    """All that are in force or may be, by device."""
    found: defaultdict[str, tuple[Override, ...]] = defaultdict(tuple)
    for one in await services.overrides.in_force():
        for record in one.records:
            found[record.device] += (record,)
    return found


async def strongest(services: Services, device: str) -> tuple[Override, Request] | None:
    """The one that decides, with its request; None when none does."""
    records, requests = await in_force(services, device)
    if not records:
        return None
    newest = max(records, key=rank)
    return newest, requests[newest.id]
