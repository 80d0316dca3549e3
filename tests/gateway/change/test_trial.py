import pytest

from lamplighter_gateway.change.trial import Answers, Trial, Verdict, judge

BOTH, BUS, UPLINK, NOTHING = Answers(True, True), Answers(bus=True), Answers(uplink=True), Answers()


@pytest.mark.parametrize(
    ("before", "now", "in_time", "at_the_end"),
    [
        (BOTH, BOTH, Verdict.PROVEN, Verdict.PROVEN),
        (BOTH, BUS, Verdict.WAITS, Verdict.FAILED),
        (BOTH, UPLINK, Verdict.WAITS, Verdict.FAILED),
        (BOTH, NOTHING, Verdict.WAITS, Verdict.FAILED),
        (BUS, BUS, Verdict.PROVEN, Verdict.PROVEN),  # no uplink before: it is not asked of the new one
        (UPLINK, UPLINK, Verdict.PROVEN, Verdict.PROVEN),
        (NOTHING, UPLINK, Verdict.PROVEN, Verdict.PROVEN),
        (NOTHING, NOTHING, Verdict.WAITS, Verdict.FAILED),
    ],
)
def test_what_answered_before_has_to_answer_again(before, now, in_time, at_the_end):
    trial = Trial(before, until_s=600)
    assert judge(trial, now, 599.9) is in_time
    assert judge(trial, now, 600) is at_the_end
