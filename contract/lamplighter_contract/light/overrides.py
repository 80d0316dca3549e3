"""Overrides when a plan arrives: which end, which stay, which are new. The order of arrival changes nothing."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from lamplighter_contract.level import Override
from lamplighter_contract.light.plans.plan import Plan

Members = Mapping[str, tuple[str, ...]]


def members_of(plan: Plan) -> Members:
    """Devices of every group."""
    return {group.id: group.devices for group in plan.groups}


def devices_of(members: Members, groups: Iterable[str], devices: Iterable[str]) -> tuple[str, ...]:
    """Devices by name first, then those of groups, each once."""
    return tuple(dict.fromkeys([*devices, *(device for group in groups for device in members[group])]))


def listed(plan: Plan) -> Iterator[Override]:
    """The plan's overrides, one record for each device."""
    members = members_of(plan)
    for one in plan.overrides:
        for device in devices_of(members, one.groups, one.devices):
            yield Override(one.id, one.seq, one.issued, device, one.level_percent, one.until, one.emergency)


def under_plan(
    plan: Plan, records: Iterable[Override], resumed: Mapping[str, int] = MappingProxyType({})
) -> tuple[Override, ...]:
    """The overrides in force once a plan is accepted: those it lists, and of the others the later ones.

    `resumed`: by device the highest number of a resume since the plan was made; records at or below it stay ended.
    """
    later = [record for record in records if record.seq > plan.as_of_seq]
    wanted = {(record.id, record.device): record for record in [*later, *listed(plan)]}
    return tuple(record for record in wanted.values() if record.seq > resumed.get(record.device, -1))
