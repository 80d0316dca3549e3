"""What is said of gateways: who was never there, and what is known of any while the broker is out of reach."""

from pathlib import Path

from lamplighter_contract.wire.topics import Up
from lamplighter_controller.intake import alarms, gateways
from tests.controller.intake.stand_ins import Centre, centre, frame


def said(here: Centre) -> dict[str, str]:
    return {alarm.key: alarm.text for alarm in here.intake.alarms.active()}


async def test_a_gateway_that_was_never_heard_is_not_called_offline(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-9") as here:
        await here.intake.connected()
        here.birth()
        here.clock.advance(46)
        here.intake.gateways.tick()
        assert said(here) == {"gateway-offline:gw-9": "gw-9 is enrolled and was never heard"}
        here.birth("gw-9")
        assert not said(here)
        here.birth("gw-9", online=False)
        assert said(here) == {"gateway-offline:gw-9": "gw-9 is offline"}


async def test_a_new_stranger_is_named_once_those_who_fell_silent_have_left(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for number in range(gateways.MOST_STRANGERS + 1):
            here.send(Up.LIVE, frame(1, "lamp-1"), gateway=f"stranger-{number}")
        last = f"stranger-{gateways.MOST_STRANGERS}"
        assert last not in here.intake.gateways.strangers
        assert here.intake.alarms.is_raised("gateways-unknown")
        here.clock.advance(gateways.QUIET_S)
        here.intake.gateways.tick()
        here.intake.alarms.tick()
        assert not [key for key in said(here) if "unknown" in key]
        here.send(Up.LIVE, frame(1, "lamp-1"), gateway=last)
        assert here.intake.gateways.strangers.keys() == {last}
        assert [key for key in said(here) if "unknown" in key] == [f"gateway-unknown:{last}"]


async def test_alarms_beyond_the_bound_are_counted_and_that_is_an_alarm(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for number in range(alarms.MOST_ACTIVE + 5):
            here.intake.alarms.raised(f"cause-{number}", "it is so", quiet_s=1)
        assert here.intake.alarms.lost == 5
        assert here.intake.alarms.is_raised("alarms-full")
        assert len(said(here)) == alarms.MOST_ACTIVE + 1
        here.clock.advance(601)
        here.intake.alarms.tick()
        assert not said(here)
        here.intake.alarms.raised("cause-1004", "it is so")
        assert said(here).keys() == {"cause-1004"}
