"""The supply tree: lamps stand along their cable, whatever the order in which they were told."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.diagnosis.topology import NONE, Phase
from lamplighter_controller.diagnosis.topology_file import places_of, read_topology

FILE = {
    "models": [{"id": "m1", "rated_w": 100, "source": "led", "curve": [[10, 14], [100, 101]]}],
    "cabinets": [
        {
            "id": "c2",
            "meter": "c2-meter",
            "feeders": [
                {
                    "id": "f1",
                    "phase": "B",
                    "poles": [
                        {"id": "p9", "lamps": [{"id": "z", "model": "m1"}, {"id": "y", "model": "m1"}]},
                        {"id": "p1", "lamps": [{"id": "a", "model": "m1"}]},
                    ],
                }
            ],
        },
        {"id": "c1", "meter": None},
    ],
}


def test_a_file_keeps_the_order_of_its_poles_and_cabinets_without_feeders() -> None:
    tree = assemble(places_of(read_topology(json.dumps(FILE).encode())))
    assert tree.lamps == ("y", "z", "a")
    assert tree.poles == ("p9", "p1")
    assert tree.lamp_order.tolist() == [0, 0, 1]
    assert (tree.cabinets, tree.cabinet_meter) == (("c2", "c1"), ("c2-meter", ""))
    assert tree.feeder_phase.tolist() == [Phase.B]
    assert tree.feeder_ordered.tolist() == [True]
    assert tree.row_of_cabinet == {"c2-meter": 0}
    assert list(tree.lamps_of_feeder(0)) == [0, 1, 2]


def test_what_is_named_by_one_and_listed_by_nobody_is_there() -> None:
    tree = assemble(
        Places(
            lamps=[LampPlace("l1", "l1", cabinet="c", circuit="k", phase="a", gateway="g"), LampPlace("l2")],
            protectors=[ProtectorPlace("rcd", "c", "k")],
        )
    )
    assert (tree.cabinets, tree.circuits, tree.gateways) == (("c",), ("k",), ("g",))
    assert tree.circuit_cabinet.tolist() == [0]
    assert tree.protector_circuit.tolist() == [0]
    assert dict(zip(tree.lamps, tree.lamp_cabinet.tolist(), strict=True)) == {"l1": 0, "l2": NONE}
    assert dict(zip(tree.lamps, tree.controlled.tolist(), strict=True)) == {"l1": True, "l2": False}


def test_a_feeder_with_a_pole_of_unknown_place_is_not_ordered() -> None:
    lamps = [LampPlace("l1", "l1", "c", feeder="f", order=0), LampPlace("l2", "l2", "c", feeder="f")]
    assert assemble(Places(lamps)).feeder_ordered.tolist() == [False]


def test_nothing_is_a_tree_too() -> None:
    tree = assemble(Places())
    assert tree.lamps == ()
    assert tree.feeder_start.tolist() == [0]
    assert len(tree.lamp_order) == 0


def test_a_malformed_file_says_where() -> None:
    with pytest.raises(ValueError, match=r"cabinets\[0\]"):
        read_topology(b'{"cabinets":[{"id":5}]}')


lamp_places = st.builds(
    LampPlace,
    id=st.text("abcdef", min_size=1, max_size=6),
    device=st.sampled_from(["", "x"]),
    cabinet=st.sampled_from(["", "c1", "c2"]),
    circuit=st.sampled_from(["", "k1"]),
    phase=st.sampled_from(["", "a", "b", "abc"]),
    feeder=st.sampled_from(["", "f1", "f2"]),
    pole=st.sampled_from(["", "p1", "p2"]),
    order=st.none() | st.integers(0, 5),
)


@given(st.lists(lamp_places, max_size=30, unique_by=lambda lamp: lamp.id))
def test_feeders_are_slices_and_every_lamp_is_where_it_was_told(lamps: list[LampPlace]) -> None:
    tree = assemble(Places(lamps, [CabinetPlace("c1")], [CircuitPlace("k1", "c1")]))
    assert sorted(tree.lamps) == sorted(lamp.id for lamp in lamps)
    assert tree.feeder_start[-1] == len(lamps)
    told = {lamp.id: lamp for lamp in lamps}
    for feeder in range(len(tree.feeders)):
        rows = tree.lamps_of_feeder(feeder)
        assert set(tree.lamp_feeder[rows.start : rows.stop].tolist()) <= {feeder}
    for row, name in enumerate(tree.lamps):
        cabinet = tree.lamp_cabinet[row]
        assert ("" if cabinet == NONE else tree.cabinets[cabinet]) == told[name].cabinet
    assert (np.diff(tree.lamp_pole) >= 0).all()
