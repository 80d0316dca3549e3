import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_gateway.config.model import Parity, SerialBus
from lamplighter_gateway.drivers.modbus.line import bus_cost, serial_line
from lamplighter_gateway.drivers.modbus.planner import BusCost, Grain, Span, plan

COST = BusCost(transaction_s=0.014, register_s=0.001)  # a hole of up to 13 registers is worth filling


@pytest.mark.parametrize(
    ("wanted", "budget", "grain", "expected"),
    [
        ([], 64, Grain.FILLED, []),
        ([(0, 1)], 64, Grain.FILLED, [(0, 1)]),
        ([(0, 1), (1, 2), (3, 1)], 64, Grain.FILLED, [(0, 4)]),
        ([(3, 1), (0, 1)], 64, Grain.FILLED, [(0, 4)]),
        ([(0, 1), (14, 1)], 64, Grain.FILLED, [(0, 15)]),
        ([(0, 1), (16, 1)], 64, Grain.FILLED, [(0, 1), (16, 1)]),
        ([(0, 23), (100, 4), (110, 4), (120, 4)], 64, Grain.FILLED, [(0, 23), (100, 24)]),
        ([(0, 4), (4, 4), (8, 4)], 8, Grain.FILLED, [(0, 4), (4, 8)]),
        ([(0, 1), (2, 1)], 64, Grain.ADJACENT, [(0, 1), (2, 1)]),
        ([(0, 1), (1, 1), (3, 1)], 64, Grain.ADJACENT, [(0, 2), (3, 1)]),
        ([(0, 1), (1, 2), (1, 2)], 64, Grain.SINGLE, [(0, 1), (1, 2)]),
        ([(5, 1), (5, 1), (6, 1)], 64, Grain.FILLED, [(5, 2)]),
    ],
)
def test_plans(wanted, budget, grain, expected):
    found = plan([Span(*span) for span in wanted], COST, budget, grain)
    assert sum(span.count for span in found) == sum(count for _, count in expected)
    assert len(found) == len(expected)
    if grain is not Grain.FILLED or budget == 64:
        assert [(span.start, span.count) for span in found] == expected


spans = st.lists(st.builds(Span, st.integers(0, 200), st.integers(1, 2)), max_size=9)
costs = st.builds(BusCost, st.floats(0.001, 0.1), st.floats(0.0001, 0.01))


@settings(deadline=None)
@given(spans, costs, st.integers(4, 40), st.sampled_from(Grain))
def test_every_span_is_read_whole_and_no_request_breaks_the_budget(wanted, cost, budget, grain):
    requests = plan(wanted, cost, budget, grain)
    for span in wanted:
        assert any(request.start <= span.start and span.end <= request.end for request in requests)
    for request in requests:
        assert request.count <= max(budget, *(joined.count for joined in joined_spans(wanted)))


@settings(deadline=None)
@given(spans, costs, st.integers(12, 60))
def test_no_other_way_to_cut_is_cheaper(wanted, cost, budget):
    blocks = joined_spans(wanted)
    ours = sum(cost.transaction_s + request.count * cost.register_s for request in plan(wanted, cost, budget))
    assert ours <= min(costs_of_all_cuts(blocks, cost, budget), default=0.0) + 1e-9


def joined_spans(wanted):
    taken = sorted({address for span in wanted for address in range(span.start, span.end)})
    owners = {frozenset(range(span.start, span.end)) for span in wanted}
    blocks: list[Span] = []
    for address in taken:
        together = blocks and any({address - 1, address} <= owner for owner in owners)
        if together and blocks[-1].end == address:
            blocks[-1] = Span(blocks[-1].start, blocks[-1].count + 1)
        else:
            blocks.append(Span(address, 1))
    return blocks


def costs_of_all_cuts(blocks, cost, budget):
    if not blocks:
        return
    for cuts in itertools.product([False, True], repeat=len(blocks) - 1):
        parts, current = [], [blocks[0]]
        for block, cut in zip(blocks[1:], cuts, strict=True):
            if cut:
                parts.append(current)
                current = [block]
            else:
                current.append(block)
        parts.append(current)
        counts = [part[-1].end - part[0].start for part in parts]
        if all(count <= budget or len(part) == 1 for count, part in zip(counts, parts, strict=True)):
            yield sum(cost.transaction_s + count * cost.register_s for count in counts)


def test_serial_arithmetic():
    slow = SerialBus("b", "/dev/null", 9600, Parity.EVEN, 1, 0.3)
    fast = SerialBus("b", "/dev/null", 115_200, Parity.NONE, 1, 0.3)
    assert serial_line(slow).character_s == pytest.approx(11 / 9600)
    assert serial_line(slow).gap_s == pytest.approx(3.5 * 11 / 9600)
    assert serial_line(fast).gap_s == 0.00175
    worth_filling = bus_cost(slow).transaction_s / bus_cost(slow).register_s
    assert 13 < worth_filling < 16
