from pathlib import Path

from lamplighter_contract.wire.documents import BusHealth, GatewayState, Health, SpoolHealth
from lamplighter_contract.wire.events import Event
from lamplighter_controller.intake import store
from lamplighter_controller.rollout.files import Bundles
from tests.controller.api.world import World


class TestGateways:
    async def test_presence_and_health_as_the_gateway_told_them(self, world: World):
        health = Health("b", 1, (BusHealth("cab-01", "modbus-tcp", connected=True, devices=93),), SpoolHealth(3, 100))
        world.services.gateways.state("gw-1", GatewayState("b", online=True, version="0.1.0"))
        world.services.gateways.health("gw-1", health)
        world.services.gateways.stranger("gw-7")
        found = {item["gateway"]: item for item in (await world.get("/gateways")).json()["items"]}
        assert list(found) == ["gw-1", "gw-2", "gw-7"]
        assert (found["gw-1"]["online"], found["gw-1"]["devices"], found["gw-1"]["version"]) == (True, 6, "0.1.0")
        assert found["gw-1"]["health"]["spool"]["waiting"] == 3
        assert found["gw-2"]["online"] is None
        assert found["gw-7"]["enrolled"] is False

    async def test_enrolling_and_revoking_leave_their_trace(self, world: World):
        path, why = "/gateways/gw-8", {"reason": "new cabinets"}
        assert (await world.send("PUT", path, why)).json()["generation"] == 1
        assert (await world.send("PUT", path, why)).json()["generation"] == 1
        assert (await world.send("DELETE", path, why)).status_code == 204
        assert (await world.send("DELETE", path, why)).status_code == 404
        assert world.actions.changes == 3
        trail = (await world.get("/audit?subject=gateway:gw-8", name="admin")).json()["items"]
        assert [(item["action"], item["who"], item["reason"]) for item in trail] == [
            ("gateway.revoke", "token:admin", "new cabinets"),
            ("gateway.enrol", "token:admin", "new cabinets"),
        ]
        assert (await world.get("/gateways/gw-9")).status_code == 404

    async def test_another_box_takes_over_and_leaves_its_trace(self, world: World):
        replaced = await world.send("POST", "/gateways/gw-1/replace", {"reason": "lightning"})
        assert (replaced.status_code, replaced.json()["generation"]) == (200, 2)
        assert (await world.send("POST", "/gateways/gw-99/replace", {"reason": "lightning"})).status_code == 404
        assert world.actions.changes == 1
        entry = (await world.get("/audit?subject=gateway:gw-1", name="admin")).json()["items"][0]
        assert (entry["action"], entry["who"], entry["reason"]) == ("gateway.replace", "token:admin", "lightning")

    async def test_no_enrolment_without_a_reason(self, world: World):
        assert (await world.send("PUT", "/gateways/gw-8", {})).status_code == 422
        assert (await world.send("PUT", "/gateways/GW_8", {"reason": "x"})).status_code == 422

    async def test_what_happened_at_a_gateway_is_listed_newest_first(self, world: World):
        events = [Event(f"e-{n}", 1_763_650_000_000 + n, "bus.down", detail={"bus": f"cab-0{n}"}) for n in (1, 2, 3)]
        happened = [("gw-1", event) for event in events] + [("gw-2", events[0])]
        await world.services.ledger.write(lambda ledger: store.put_events(ledger, happened))
        first = (await world.get("/gateways/gw-1/events?limit=2")).json()
        assert [item["detail"]["bus"] for item in first["items"]] == ["cab-03", "cab-02"]
        rest = (await world.get(f"/gateways/gw-1/events?before={first['next_before']}")).json()
        assert [item["detail"]["bus"] for item in rest["items"]] == ["cab-01"]
        assert rest["next_before"] is None


class TestUpdates:
    async def test_a_rollout_is_begun_seen_and_stopped(self, world: World, tmp_path: Path):
        bundle = tmp_path / "new.bundle"
        bundle.write_bytes(b"wheels")
        name = Bundles(tmp_path).add(bundle)
        keeper = world.services.rollouts
        assert keeper is not None
        keeper._bundles = Bundles(tmp_path)
        body: dict[str, object] = {"bundle": str(name), "gateways": ["gw-1", "gw-2"], "reason": "fixes the photocell"}
        begun = await world.send("POST", "/rollouts", body)
        assert (begun.status_code, begun.json()["waiting"]) == (202, ["gw-1", "gw-2"])
        [seen] = (await world.get("/rollouts")).json()
        assert (seen["state"], seen["by"]) == ("running", "token:admin")
        stopped = await world.send("POST", f"/rollouts/{seen['id']}/stop", {"reason": "not tonight"})
        assert stopped.json()["state"] == "stopped"
        assert (await world.send("POST", "/rollouts/0199/stop", {"reason": "x"})).status_code == 404
        empty: list[str] = []
        wrongs: tuple[dict[str, object], ...] = (
            {"bundle": "x"},
            {"bundle": f"{'0' * 64}:1"},
            {"gateways": ["gw-99"]},
            {"gateways": empty},
        )
        for wrong in wrongs:
            assert (await world.send("POST", "/rollouts", {**body, **wrong})).status_code == 422, wrong

    async def test_a_version_goes_in_waves_and_not_past_them(self, world: World):
        body = {"op": "gateway.update", "gateways": ["gw-1"], "reason": "x", "args": {"bundle": f"{'0' * 64}:1"}}
        answer = await world.post("/commands", body)
        assert answer.status_code == 422
        assert "/rollouts" in answer.json()["errors"][0]["detail"]

    async def test_a_configuration_is_given_and_seen(self, world: World):
        path = "/gateways/gw-1/config"
        assert (await world.get(path)).status_code == 404
        body = {"reason": "new street", "buses": [{"id": "east"}], "devices": [{"id": "lamp-1"}]}
        given = await world.send("PUT", path, body)
        assert (given.status_code, given.json()["document"]["buses"]) == (200, [{"id": "east"}])
        assert (await world.get(path)).json()["version"] == given.json()["version"]
        assert (await world.send("PUT", path, body | {"surprise": 1})).status_code == 422

    async def test_a_support_bundle_that_nobody_asked_for_is_not_there(self, world: World):
        assert (await world.get("/gateways/gw-1/support/0199c0de", name="operator")).status_code == 404
