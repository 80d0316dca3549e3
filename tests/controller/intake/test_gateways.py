"""What is said of gateways: who was never there, and what is known of any while the broker is out of reach."""

from pathlib import Path

from tests.controller.intake.stand_ins import Centre, centre


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
