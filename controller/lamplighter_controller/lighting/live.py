"""What a plan tells beside its programs: the levels by hand that are in force, and the shows to come."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from lamplighter_contract.level import Override
from lamplighter_contract.light.plans.plan import Group, Plan, PlanOverride
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.overrides.in_force import standings
from lamplighter_controller.lighting.overrides.standing import Standing
from lamplighter_controller.lighting.scenes.scene import GROUP, played
from lamplighter_controller.lighting.scenes.store import Showing, ahead


def renewed(
    plan: Plan,
    version: int,
    standing: Standing,
    showings: Iterable[Showing],
    inventory: Inventory,
    lamps: Sequence[str],
) -> Plan:
    """The same plan as another version: with these overrides and no others, and these shows and no others."""
    groups: dict[str, Group] = {}
    scenes = [
        scene
        for one in showings
        if (scene := played(one.scene, one.id, (one.starts_ms, one.ends_ms), inventory, lamps, groups)) is not None
    ]
    kept = [group for group in plan.groups if not group.id.startswith(GROUP)]
    return replace(
        plan,
        version=version,
        as_of_seq=standing.as_of_seq,
        overrides=_listed(standing.taken),
        scenes=tuple(scenes),
        groups=(*kept, *groups.values()),
    )


def all_renewed(
    connection: Connection,
    plans: Iterable[Plan],
    versions: Mapping[str, int],
    places: tuple[Inventory, Mapping[str, Sequence[str]]],
    now: tuple[int, int],
) -> list[Plan]:
    """Plans with what is in force and to come. `places`: inventory, lamps of each gateway; `now`: real, civil ms."""
    standing, showings = standings(connection, *now), ahead(connection, now[1])
    inventory, lamps = places
    return [
        renewed(
            one,
            versions[one.gateway],
            standing.get(one.gateway, Standing()),
            showings,
            inventory,
            lamps[one.gateway],
        )
        for one in plans
    ]


def tells(plan: Plan, now_ms: int) -> frozenset[Hashable]:
    """What a plan tells of overrides and shows that have not ended; two that tell the same need no new version."""
    overrides = {(one.id, one.devices) for one in plan.overrides if one.until > now_ms}
    return frozenset({*overrides, *(scene.id for scene in plan.scenes if (scene.ends or 0) > now_ms)})


def _listed(records: Iterable[Override]) -> tuple[PlanOverride, ...]:
    first: dict[str, Override] = {}
    devices: dict[str, list[str]] = {}
    for record in records:
        first.setdefault(record.id, record)
        devices.setdefault(record.id, []).append(record.device)
    return tuple(
        PlanOverride(
            one.id, one.seq, one.issued_ms, one.level_percent, one.until_ms, one.emergency, devices=tuple(devices[name])
        )
        for name, one in first.items()
    )
