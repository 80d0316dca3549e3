from typing import ClassVar

import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.events import CommandChanged
from tests.controller.api.world import LAMPS, World


class TestCommands:
    BODY: ClassVar = {"op": "light.set", "devices": LAMPS[:2], "reason": "test"}

    def body(self, world: World, **change: object) -> dict[str, object]:
        args = {"level_percent": 50, "until": world.clock.civil_ms() + 60_000}
        return {key: value for key, value in (self.BODY | {"args": args} | change).items() if value is not None}

    async def test_one_request_is_followed_to_its_end(self, world: World):
        answer = await world.post("/commands", self.body(world))
        assert answer.status_code == 202
        assert answer.json()["state"] == "created"
        assert answer.json()["by"] == "token:operator"
        path = answer.headers["location"].removeprefix("/api/v1")
        for state in (CommandState.SENT, CommandState.ACCEPTED, CommandState.APPLIED, CommandState.VERIFIED):
            world.clock.advance(1)
            number = answer.json()["request"]
            world.app.state.hub.take(CommandChanged(number, "c", "gw-1", state, ()))
            world.commands.move(number, state)
        found = (await world.get(path)).json()
        assert found["states"] == {"verified": 2}
        times = [step["time_ms"] for step in found["steps"]]
        assert [step["state"] for step in found["steps"]] == ["sent", "accepted", "applied", "verified"]
        assert times == sorted(set(times))

    async def test_a_filter_is_resolved_to_devices(self, world: World):
        where = {"prefix": "lamp-02-", "gateway": "gw-2"}
        found = (await world.post("/commands", self.body(world, devices=None, where=where))).json()
        assert [part["device"] for part in found["devices"]] == LAMPS[5:]
        assert {order["gateway"] for order in found["commands"]} == {"gw-2"}

    async def test_a_filter_never_reaches_other_kinds(self, world: World):
        found = (await world.post("/commands", self.body(world, devices=None, where={"gateway": "gw-1"}))).json()
        assert [part["device"] for part in found["devices"]] == LAMPS[:5]
        refused = await world.post("/commands", self.body(world, devices=None, where={"kind": "cabinet"}))
        assert refused.json()["errors"][0]["field"] == "body.where.kind"

    async def test_the_same_key_does_nothing_again(self, world: World):
        first = await world.post("/commands", self.body(world), **{"Idempotency-Key": "k-1"})
        second = await world.post("/commands", self.body(world), **{"Idempotency-Key": "k-1"})
        assert (first.json()["request"], first.json()["repeated"]) == (second.json()["request"], False)
        assert second.json()["repeated"] is True
        other = self.body(world) | {"args": {"level_percent": 99, "until": world.clock.civil_ms() + 1}}
        third = await world.post("/commands", other, **{"Idempotency-Key": "k-1"})
        assert third.status_code == 409
        assert third.json()["errors"][0]["field"] == "header.Idempotency-Key"
        assert len(world.commands.taken) == 1

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"op": "light.explode"}, "body.op"),
            ({"devices": None}, "body"),
            ({"where": {}}, "body"),
            ({"devices": []}, "body.devices"),
            ({"devices": ["lamp-99-001"]}, "body.devices"),
            ({"devices": ["x" * 65]}, "body.devices.0"),
            ({"devices": None, "where": {"prefix": "nothing"}}, "body.where"),
            ({"devices": None, "where": {"colour": "red"}}, "body.where.colour"),
            ({"args": {"level_percent": 101, "until": 1_763_999_999_999}}, "body.args.level_percent"),
            ({"args": {"level_percent": 50}}, "body.args.until"),
            ({"args": {"level_percent": 50, "until": 1_763_999_999_999, "colour": 1}}, "body.args"),
            ({"reason": ""}, "body.reason"),
            ({"reason": None}, "body.reason"),
            ({"reason": "x" * 501}, "body.reason"),
            ({"expires_s": 0}, "body.expires_s"),
            ({"expires_s": 86_401}, "body.expires_s"),
            ({"surprise": 1}, "body.surprise"),
            ({"approvals": ["user:li"]}, "body.approvals"),
        ],
    )
    async def test_refusals_name_the_field(self, world: World, change: dict[str, object], field: str):
        answer = await world.post("/commands", self.body(world, **change))
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert problem["errors"][0]["field"] == field
        assert problem["errors"][0]["rule"]
        assert world.commands.taken == {}

    @pytest.mark.parametrize(
        "body",
        [
            {"level_percent": 50},
            {"level_percent": -1, "reason": "r"},
            {"level_percent": "x", "reason": "r"},
            {"level_percent": 5, "reason": "r", "for_s": 50_000},
        ],
    )
    async def test_a_level_has_bounds(self, world: World, body: dict[str, object]):
        assert (await world.post("/devices/lamp-01-001/level", body)).status_code == 422

    async def test_recent_ones_are_paged_backwards(self, world: World):
        for _ in range(5):
            await world.post("/commands", self.body(world))
        first = (await world.get("/commands?limit=3")).json()
        assert [item["request"] for item in first["items"]] == ["r-0004", "r-0003", "r-0002"]
        assert first["items"][0]["device"] is None
        second = (await world.get(f"/commands?limit=3&before={first['next_before']}")).json()
        assert [item["request"] for item in second["items"]] == ["r-0001", "r-0000"]
        assert second["next_before"] is None
        assert second["items"][0]["states"] == {"created": 2}
        assert (await world.get("/commands?device=lamp-02-001")).json()["items"] == []

    async def test_an_unknown_request_is_not_found(self, world: World):
        assert (await world.get("/commands/none")).status_code == 404
