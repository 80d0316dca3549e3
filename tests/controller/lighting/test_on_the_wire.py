"""The whole controller on a real broker: what a person publishes is there for the gateway, also after a restart."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from lamplighter_contract.commands.signing import Keyring, open_keys
from lamplighter_contract.light.plans.plan import Plan, read_plan
from lamplighter_controller.security.keys import load
from tests.controller.app.program import Controller, Gateway, gateway, until
from tests.system.servers import Mosquitto

pytestmark = pytest.mark.system

WHY = {"reason": "winter hours"}


def plans_heard(gw: Gateway) -> list[dict[str, Any]]:
    return [orjson.loads(one.payload) for one in gw.others if str(one.topic).endswith("/plan")]


async def test_a_plan_reaches_its_gateway_signed_and_is_there_again_after_a_restart(
    tmp_path: Path, make_mosquitto
) -> None:
    broker: Mosquitto = make_mosquitto(persistence=False)
    with Controller(tmp_path / "c", broker.port, "demo: true") as centre:
        async with gateway(broker.port) as gw, centre.client() as http:
            await gw.born("lamp-1", "lamp-2")
            url = "/luminaires/import?reason=survey&crs=wgs84&dry_run=false"
            text = "id,device,latitude,longitude\nl-1,lamp-1,36.65,117.12\n"
            assert (await http.post(url, content=text)).status_code == 200
            assert (await http.post("/presets", json=WHY)).status_code == 200
            number = (await http.post("/plans", json=WHY)).json()["number"]
            checked = await http.post(f"/plans/{number}/validate", json=WHY)
            assert checked.json()["state"] == "validated", checked.text
            assert plans_heard(gw) == []
            published = await http.post(f"/plans/{number}/publish", json=WHY)
            assert published.json() == {"versions": {"gw-1": 1}}, published.text
            await until(lambda: plans_heard(gw))
            (document,) = plans_heard(gw)
            keys = load(centre.folder / "data" / "keys")
            ring = open_keys(keys.document, keys.root_public, Keyring())
            assert isinstance(ring, Keyring)
            assert ring.check(document, int(checked.json()["created_ms"])) is None
            plan = read_plan(document)
            assert isinstance(plan, Plan)
            assert (plan.gateway, plan.version, plan.latitude) == ("gw-1", 1, 36.65)
            assert {device for group in plan.groups for device in group.devices} == {"lamp-1", "lamp-2"}
        centre.stop()
        async with gateway(broker.port, boot="boot-b") as gw:
            await until(lambda: plans_heard(gw))  # the broker has kept it
            gw.others.clear()
            centre.start()
            await until(lambda: plans_heard(gw))
            assert plans_heard(gw) == [document]
