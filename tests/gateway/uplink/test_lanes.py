"""Which frame goes next."""

import pytest

from lamplighter_contract.wire.topics import Up
from lamplighter_gateway.spool.frames import Class, Frame
from lamplighter_gateway.uplink.lanes import READY, Lanes, Timing

TIMING = Timing(live_s=10, ack_timeout_s=5, backlog_per_s=1000, backlog_delay_s=0)


def frame(seq, of=Class.READING):
    return Frame(seq, of, b"{}", 0)


def open_lanes(timing=TIMING):
    lanes = Lanes(timing, lambda: 0.5)
    lanes.begin(0)
    lanes.allow(urgent=True, readings=True)
    for lane in (lanes.urgent, lanes.backlog):
        lane.behind = False
    return lanes


def send_all(lanes, now_s=0.0):
    sent = []
    while chosen := lanes.next(now_s):
        sent.append((chosen[0], chosen[1].seq))
    return sent


def test_urgent_before_live_before_backlog():
    lanes = open_lanes()
    lanes.refill(Up.BACKLOG, [frame(1)], 0)
    lanes.stored([frame(2), frame(3, Class.EVENT), frame(4, Class.RESULT)], 0)
    assert send_all(lanes) == [(Up.URGENT, 3), (Up.URGENT, 4), (Up.LIVE, 2), (Up.BACKLOG, 1)]


def test_each_lane_has_sixteen_in_flight_so_that_none_holds_up_another():
    lanes = open_lanes()
    lanes.stored([frame(seq) for seq in range(20)], 0)
    assert len(send_all(lanes)) == 16
    lanes.stored([frame(100, Class.RESULT)], 0)
    assert send_all(lanes) == [(Up.URGENT, 100)]
    assert lanes.acked([(0, 2)]) == [0, 1, 2]
    assert [seq for _, seq in send_all(lanes)] == [16, 17, 18]


def test_only_frames_this_process_sent_are_acked():
    lanes = open_lanes()
    lanes.stored([frame(5), frame(9)], 0)
    send_all(lanes)
    assert lanes.acked([(0, 4), (6, 8), (10, 2**53)]) == []
    assert lanes.acked([(9, 9), (0, 2**52)]) == [5, 9]
    assert lanes.acked([(0, 2**52)]) == []


def test_live_that_missed_its_moment_becomes_backlog():
    lanes = open_lanes()
    lanes.stored([frame(seq) for seq in range(20)], 0)
    send_all(lanes)
    assert send_all(lanes, now_s=11) == []
    assert lanes.wanted() == [Up.BACKLOG]
    assert lanes.exclude() == set(range(16))


def test_frames_not_acked_in_time_are_sent_again_with_back_off_and_care():
    lanes = open_lanes()
    lanes.stored([frame(seq, Class.EVENT) for seq in range(3)], 0)
    send_all(lanes)
    assert lanes.expire(4.9) == 0
    assert lanes.expire(5.0) == 3
    assert lanes.wanted() == [Up.URGENT]
    lanes.refill(Up.URGENT, [frame(seq, Class.EVENT) for seq in range(3)], 5)
    assert send_all(lanes, 5) == [(Up.URGENT, 0)]
    assert lanes.due_s(5) == pytest.approx(10)
    assert lanes.acked([(0, 0)]) == [0]
    assert [seq for _, seq in send_all(lanes, 5)] == [1, 2]


def test_a_late_ack_of_a_frame_that_waits_again_counts():
    lanes = open_lanes()
    lanes.stored([frame(1)], 0)
    send_all(lanes)
    lanes.expire(100)
    assert lanes.acked([(1, 1)]) == [1]


def test_while_the_store_hangs_readings_are_held_and_results_go_on():
    lanes = open_lanes()
    lanes.stored([frame(1)], 0)
    lanes.allow(urgent=True, readings=False)
    lanes.stored([frame(2), frame(3, Class.RESULT)], 0)
    assert send_all(lanes) == [(Up.URGENT, 3)]
    assert lanes.wanted() == []
    lanes.allow(urgent=True, readings=True)
    assert lanes.wanted() == [Up.BACKLOG]


def test_memory_is_bounded_while_nothing_is_acked():
    lanes = open_lanes()
    lanes.stored([frame(seq) for seq in range(1000)], 0)
    assert len(lanes.exclude()) == READY
    assert lanes.backlog.behind


def test_backlog_waits_its_random_moment_and_keeps_its_pace():
    lanes = open_lanes(Timing(backlog_per_s=2, backlog_delay_s=60))
    lanes.refill(Up.BACKLOG, [frame(seq) for seq in range(40)], 0)
    assert send_all(lanes, 29) == []
    assert lanes.due_s(29) == pytest.approx(1)
    assert len(send_all(lanes, 30)) == 16
    lanes.acked([(0, 100)])
    assert len(send_all(lanes, 31)) == 2


def test_a_new_connection_sends_what_was_in_flight_again():
    lanes = open_lanes()
    lanes.stored([frame(1), frame(2, Class.EVENT)], 0)
    send_all(lanes)
    lanes.begin(50)
    assert lanes.exclude() == set()
    assert lanes.wanted() == [Up.URGENT, Up.BACKLOG]
