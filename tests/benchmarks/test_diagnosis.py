"""What diagnosis is denied is denied; a long run goes on where it was stopped; scores add up."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.diagnosis import trials
from benchmarks.diagnosis.course import ABLATIONS, Ablation, Course, course_of
from benchmarks.diagnosis.scores import Found, Scores
from benchmarks.diagnosis.trials import OURS, Trial, together
from lamplighter_contract.quantities import Kind
from lamplighter_firmware_sim.campaign.generate import Campaign, Order, generate
from lamplighter_firmware_sim.campaign.network import Size
from lamplighter_firmware_sim.campaign.recipes import What

SMALL = Size(cabinets=2, feeders=3, poles=4)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return generate(np.random.default_rng(1), Order(what=What.CONFOUNDERS, size=SMALL, days=4, interval_s=7200))


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda one: one.name)
def test_every_ablation_takes_something_away(campaign: Campaign, ablation: Ablation) -> None:
    def given(course: Course) -> tuple[object, ...]:
        meters = len(course.stream.rows[Kind.CABINET])
        return course.settings.common_mode, course.settings.learned_gain, len(course.topology.feeders), meters

    same = given(course_of(campaign, ablation)) == given(course_of(campaign))
    generated_otherwise = ablation.wrong_share > 0 or ablation.interval_s != Ablation("whole").interval_s
    assert same == generated_otherwise


def test_a_run_goes_on_from_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def one(trial: Trial) -> dict[str, Scores]:
        tried.append(trial)
        scores = Scores(campaigns=1, lamp_days=2.5, calibration=[(0.9, True)])
        scores.add_fault("leak", "leak", Found(True, True, True, 1.0, 0.5))
        scores.false_of("ov")
        return {OURS: scores}

    monkeypatch.setattr(trials, "tried", one)
    trial = Trial(1, What.PAIRS, (OURS,))
    first, second = (trials._kept_or_tried(tmp_path, trial) for _ in range(2))
    assert first == second
    assert tried == [trial]
    assert [file.name for file in tmp_path.iterdir()] == ["1 pairs whole lamplighter.json"]


def test_scores_of_one_name_add_up_and_the_parts_stay_as_they_were() -> None:
    part = Scores(campaigns=1, lamp_days=10, false_lamp=1)
    part.add_fault("leak", "leak", Found(True))
    total = together([("ours", part), ("ours", part), ("theirs", part)])
    assert list(total) == ["ours", "theirs"]
    assert (total["ours"].campaigns, total["ours"].false_per_1000_lamp_days) == (2, 100)
    assert (len(total["ours"].found["leak"]), len(part.found["leak"])) == (2, 1)
