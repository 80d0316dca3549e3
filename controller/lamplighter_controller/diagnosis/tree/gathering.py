"""Above the cabinet: several dark at once are the utility's, all that hang on one gateway are the gateway's."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Columns, Flags, Rows
from lamplighter_controller.diagnosis.topology import NONE, Index
from lamplighter_controller.diagnosis.tree.branches import Counts
from lamplighter_controller.diagnosis.tree.causes import RADIO_HOLD, SUPPLY_HOLD, Cause, Scene
from lamplighter_controller.diagnosis.tree.outages import FEWEST, Node
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

CABINETS_OF_UTILITY: Final = 3
HEARD_ALL_THE_SAME: Final = 0.05  # lamps that the list of devices gives to the wrong gateway


def gather(scene: Scene, causes: Sequence[Cause]) -> list[Verdict]:
    """The verdicts of one step, each lamp under one of them at most."""
    gateways = silent_gateways(scene)
    rest = [one for one in causes if not _under(scene, one, gateways)]
    utility, rest = _utility(scene, rest, gateways)
    alone = [_gateway(scene, gateway) for gateway in gateways if not _takes_in(utility, scene, gateway)]
    return [*utility, *alone, *(one.verdict for one in rest)]


def silent_gateways(scene: Scene) -> list[int]:
    """Gateways of which nothing is heard: neither lamps nor meters nor contactors."""
    tree = scene.branches.topology
    count = len(tree.gateways)
    if not count:
        return []
    silent = _by(tree.lamp_gateway, scene.leaves.silent, count)
    heard = _by(tree.lamp_gateway, scene.leaves.heard, count)
    others_silent, others_heard = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for gateway_of, columns in (
        (tree.cabinet_gateway, scene.samples.cabinets),
        (tree.circuit_gateway, scene.samples.circuits),
    ):
        others_silent += _by(gateway_of, columns.silent, count)
        others_heard += _by(gateway_of, columns.answered, count)
    quiet = (heard <= HEARD_ALL_THE_SAME * silent) & (others_heard == 0)
    return np.flatnonzero(quiet & ((silent >= FEWEST) | (others_silent > 0))).tolist()


def _by(node: Index, which: Flags, count: int) -> Counts:
    known = which & (node != NONE)
    return np.bincount(node[known], minlength=count).astype(np.int64)


def _under(scene: Scene, one: Cause, gateways: Iterable[int]) -> bool:
    """Everything of the outage hangs on gateways that are silent, and no meter says that its power is gone."""
    of = np.unique(scene.branches.topology.lamp_gateway[one.outage.lamps])
    return bool(len(of)) and bool(np.isin(of, list(gateways)).all()) and one.outage.node is not Node.CUT


def _gateway(scene: Scene, gateway: int) -> Verdict:
    tree = scene.branches.topology
    lamps = np.flatnonzero((tree.lamp_gateway == gateway) & (scene.leaves.silent | scene.leaves.heard))
    cabinets = np.flatnonzero(tree.cabinet_gateway == gateway)
    several = len(cabinets) > 1
    radio = 0.93 if several else 0.75  # the one supply point that also feeds the gateway may be dark
    lines = [EvidenceLine("silent_lamps", float(scene.leaves.silent[lamps].sum()), 0.0, float("nan"), len(lamps), "")]
    if len(cabinets):
        lines.append(_silent_meters(scene.samples.cabinets, cabinets))
    return Verdict(
        Element(ElementKind.GATEWAY, tree.gateways[gateway]),
        {"gw_down": radio, "cabinet_off": 1 - radio},
        _onset_ms(scene, lamps),
        RADIO_HOLD,
        tuple(lines),
        lamps,
        "cabinet_meter",
    )


def _silent_meters(cabinets: Columns, rows: Rows) -> EvidenceLine:
    return EvidenceLine("silent_meters", float(cabinets.silent[rows].sum()), 0.0, float("nan"), len(rows), "")


def _onset_ms(scene: Scene, lamps: Rows) -> int:
    silent = lamps[scene.leaves.silent[lamps]]
    return int(np.median(scene.suspicions.silent_since_ms[silent])) if len(silent) else 0


def _utility(scene: Scene, causes: Sequence[Cause], gateways: Sequence[int]) -> tuple[list[Verdict], list[Cause]]:
    """Three cabinets of one transformer, or of the city where transformers are not known, dark at once."""
    tree = scene.branches.topology
    dark = {one.outage.cabinet: one for one in causes if one.outage.node is Node.CABINET and _is_dark(one)}
    unheard = np.flatnonzero(np.isin(tree.cabinet_gateway, gateways) & scene.samples.cabinets.silent).tolist()
    found: list[Verdict] = []
    taken: set[int] = set()
    for transformer in np.unique(tree.cabinet_transformer).tolist():
        # Silent gateways count only under a transformer that they share: elsewhere they may share a radio mast.
        mine = {c for c in dark if tree.cabinet_transformer[c] == transformer}
        mine |= {c for c in unheard if transformer != NONE and tree.cabinet_transformer[c] == transformer}
        if len(mine) >= CABINETS_OF_UTILITY:
            found.append(_supply_gone(scene, transformer, sorted(mine)))
            taken |= mine
    return found, [one for one in causes if one.outage.cabinet not in taken]


def _is_dark(one: Cause) -> bool:
    return one.verdict.probability.get("cabinet_off", 0.0) > 0.5


def _supply_gone(scene: Scene, transformer: int, cabinets: Sequence[int]) -> Verdict:
    tree = scene.branches.topology
    lamps = np.flatnonzero(np.isin(tree.lamp_cabinet, cabinets))
    known = transformer != NONE
    element = (
        Element(ElementKind.TRANSFORMER, tree.transformers[transformer]) if known else Element(ElementKind.CITY, "city")
    )
    line = EvidenceLine("dark_cabinets", len(cabinets), 0.0, float("nan"), len(cabinets), "")
    probability = {"utility_loss": 0.93, "cabinet_off": 0.04, "gw_down": 0.03}
    return Verdict(element, probability, _onset_ms(scene, lamps), SUPPLY_HOLD, (line,), lamps)


def _takes_in(utility: Sequence[Verdict], scene: Scene, gateway: int) -> bool:
    mine = np.flatnonzero(scene.branches.topology.lamp_gateway == gateway)
    return any(len(mine) and bool(np.isin(mine, one.lamps).all()) for one in utility)
