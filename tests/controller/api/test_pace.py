"""Who asks too fast waits; nobody else does."""

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_controller.api import create_api
from lamplighter_controller.api.pace import MOST_BUCKETS, OF_ADDRESS, Buckets, Pace
from tests.controller.api.world import World


def test_a_bucket_empties_and_fills_again():
    buckets = Buckets(Pace(per_s=2.0, at_once=3))
    assert [buckets.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", 0.0) == 0
    assert buckets.wait_s("a", 0.5) == 0
    assert buckets.wait_s("a", 0.5) > 0
    assert [buckets.wait_s("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_clock_that_goes_back_gives_nothing():
    buckets = Buckets(Pace(per_s=1.0, at_once=1))
    assert buckets.wait_s("a", 10.0) == 0
    assert buckets.wait_s("a", 5.0) > 0


def test_there_is_a_bound_on_buckets():
    buckets = Buckets(Pace())
    for number in range(MOST_BUCKETS + 10):
        buckets.wait_s(str(number), 0.0)
    assert len(buckets._buckets) == MOST_BUCKETS


@pytest.fixture
def slow(world: World, tmp_path):
    assert isinstance(world.services.clock, ManualClock)
    world.client._transport.app = create_api(world.services, tmp_path / "web", Pace(per_s=1.0, at_once=5))  # type: ignore[attr-defined]
    return world


async def test_one_token_waits_and_another_does_not(slow: World):
    answers = [await slow.get("/clock") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert (answers[-1].headers["retry-after"], answers[-1].json()["type"]) == ("1", "urn:lamplighter:problem:too-fast")
    assert "default-src" in answers[-1].headers["content-security-policy"]
    assert (await slow.get("/clock", name="admin")).status_code == 200
    slow.clock.advance(1.0)
    assert (await slow.get("/clock")).status_code == 200


async def test_made_up_tokens_are_bounded_by_where_they_come_from(slow: World):
    answers = [
        await slow.client.get("/api/v1/clock", headers={"Authorization": f"Bearer x.{number}"})
        for number in range(5 * OF_ADDRESS + 5)
    ]
    assert [answer.status_code for answer in answers].count(429) == 5
