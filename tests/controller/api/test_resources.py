"""What the resources answer, and how they refuse."""

import asyncio
import html
import json
import re
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import BusHealth, GatewayState, Health, SpoolHealth
from lamplighter_contract.wire.events import Event
from lamplighter_controller.api.envelope import MAX_BODY_BYTES
from lamplighter_controller.api.resources.history import MAX_ROWS
from lamplighter_controller.events import CommandChanged
from lamplighter_controller.intake import letters, store
from lamplighter_controller.intake.placing import Letter
from tests.controller.api.world import LAMPS, World, readings

DAY_MS = 86_400_000


class TestDevices:
    async def test_filters_and_pages(self, world: World):
        world.light(LAMPS[:3], 60, 90)
        assert (await world.get("/devices")).json()["total"] == 11
        page = (await world.get("/devices?kind=lamp&limit=3&offset=4")).json()
        assert [item["id"] for item in page["items"]] == [LAMPS[4], LAMPS[5], LAMPS[6]]
        assert page["total"] == 10
        for query, count in {
            "gateway=gw-2": 5,
            "gateway=gw-9": 0,
            "prefix=lamp-01-": 5,
            "state=on": 3,
            "state=unknown&kind=lamp": 7,
            "text=01-00": 5,
            "text=LAMP-02": 5,
            "text=云杉": 11,
            "text=spruce%20road&gateway=gw-2": 5,
            "text=oak": 0,
            "gateway=gw-1&kind=cabinet": 1,
        }.items():
            assert (await world.get(f"/devices?{query}")).json()["total"] == count, query

    async def test_a_filter_that_does_not_exist_is_refused_and_never_means_everything(self, world: World):
        refused = await world.get("/devices?colour=red&state=on")
        assert refused.status_code == 422
        (fault,) = refused.json()["errors"]
        assert (fault["field"], fault["rule"]) == ("query.colour", "unknown")
        assert "gateway, kind, limit" in fault["detail"]
        assert (await world.post("/commands?dry=true", {})).status_code == 422

    async def test_one(self, world: World):
        device = (await world.get("/devices/lamp-01-001")).json()
        assert (device["gateway"], device["kind"], device["name"]["en"]) == ("gw-1", "lamp", "Spruce Road")
        assert device["state"] == "unknown"
        world.light(LAMPS[6:7], 60, 90)
        assert [(await world.get(f"/devices/{lamp}")).json()["state"] for lamp in LAMPS[5:8]] == [
            "unknown",
            "on",
            "unknown",
        ]
        missing = await world.get("/devices/lamp-99-001")
        assert missing.status_code == 404
        assert missing.json()["errors"][0]["field"] == "path.device"

    async def test_latest_leaves_out_what_is_not_known(self, world: World):
        values = {"level_percent": 60.0, "power_w": float("nan")}
        quality = Quality.FROZEN | Quality.CLOCK_UNTRUSTED
        world.twin.apply(
            readings(Kind.LAMP, LAMPS[:1], world.clock.civil_ms(), values, quality), world.clock.monotonic_s()
        )
        world.clock.advance(7)
        latest = (await world.get("/devices/lamp-01-001/latest")).json()
        assert latest["values"] == {"level_percent": 60.0}
        assert latest["quality"] == ["frozen", "clock_untrusted"]
        assert latest["age_s"] == 7.0
        assert latest["override"] is None

    async def test_latest_names_the_manual_level_in_force_until_it_ends_or_is_resumed(self, world: World):
        asked = (
            await world.post("/devices/lamp-01-001/level", {"level_percent": 40, "for_s": 600, "reason": "r"})
        ).json()
        path = "/devices/lamp-01-001/latest"
        assert (await world.get(path)).json()["override"] is None
        world.commands.move(asked["request"], CommandState.ACCEPTED)
        override = (await world.get(path)).json()["override"]
        assert (override["level_percent"], override["by"]) == (40, "token:operator")
        assert override["until"] == world.clock.civil_ms() + 600_000
        refused = (await world.post("/devices/lamp-01-001/level", {"level_percent": 90, "reason": "r"})).json()
        world.commands.move(refused["request"], CommandState.REJECTED, "locked")
        assert (await world.get(path)).json()["override"]["level_percent"] == 40
        world.clock.advance(10)  # 600 civil seconds
        assert (await world.get(path)).json()["override"] is None

    async def test_resuming_ends_the_manual_level(self, world: World):
        asked = (await world.post("/devices/lamp-01-001/level", {"level_percent": 40, "reason": "r"})).json()
        world.commands.move(asked["request"], CommandState.VERIFIED)
        body = {"op": "light.resume", "devices": [LAMPS[0]], "reason": "r"}
        resumed = (await world.post("/commands", body)).json()
        world.commands.move(resumed["request"], CommandState.VERIFIED)
        assert (await world.get("/devices/lamp-01-001/latest")).json()["override"] is None

    async def test_columns_of_a_kind(self, world: World):
        world.light(LAMPS[:1], 60, 90, voltage_v=230)
        columns = (await world.get("/latest?kind=lamp&quantities=level_percent,voltage_v")).json()
        assert columns["ids"] == LAMPS
        assert columns["state"] == [2] + [0] * 9
        assert columns["states"][2] == "on"
        assert set(columns["values"]) == {"level_percent", "voltage_v"}
        assert columns["values"]["level_percent"] == [60] + [None] * 9
        assert columns["gateway"] == ["gw-1"] * 5 + ["gw-2"] * 5

    @pytest.mark.parametrize(
        "query",
        ["", "?kind=lampe", "?kind=lamp&quantities=level", "?kind=lamp&quantities=" + ",".join(map(str, range(20)))],
    )
    async def test_columns_refuse_what_is_unknown(self, world: World, query: str):
        answer = await world.get(f"/latest{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].startswith("query.")


class TestHistory:
    PATH = "/devices/lamp-01-001/history"

    async def test_raw(self, world: World):
        start = world.clock.civil_ms()
        found = (await world.get(f"{self.PATH}?start={start}&end={start + 180_000}")).json()
        assert found["time_ms"] == [start, start + 60_000, start + 120_000]
        assert found["values"] == {"level_percent": [0, 1, 2], "power_w": [None] * 3}
        assert found["truncated"] is False

    async def test_raw_says_when_there_is_more(self, world: World):
        start = world.clock.civil_ms()
        found = (await world.get(f"{self.PATH}?start={start}&end={start + 30 * DAY_MS}")).json()
        assert len(found["time_ms"]) == MAX_ROWS
        assert found["truncated"] is True

    async def test_windows_of_several_quantities_share_their_times(self, world: World):
        start = world.clock.civil_ms()
        found = (await world.get(f"{self.PATH}?start={start}&end={start + 400_000}&window=100&aggregate=max")).json()
        assert found["time_ms"] == [start + step * 100_000 for step in range(4)]
        assert found["values"] == {"level_percent": [7] * 4, "power_w": [7, None, 7, None]}

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("start={now}&end={now}", "query.end"),
            ("start={now}&end=1700000000000", "query.end"),
            ("start=5&end={now}", "query.start"),
            ("start=1600000000000&end={now}", "query.end"),
            ("start={now}&end={later}&window=1", "query.window"),
            ("start={now}&end={later}&window=0", "query.window"),
            ("start={now}&end={later}&quantities=power", "query.quantities"),
            ("start={now}&end={later}&aggregate=median", "query.aggregate"),
            ("start={now}", "query.end"),
            ("start=now&end={later}", "query.start"),
        ],
    )
    async def test_bounds(self, world: World, query: str, field: str):
        now = world.clock.civil_ms()
        answer = await world.get(f"{self.PATH}?" + query.format(now=now, later=now + DAY_MS))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field

    async def test_windows_are_asked_for_by_tasks_with_names_and_one_failure_is_told_as_such(
        self, world: World, monkeypatch
    ):
        asked_by, windows = [], world.series.windows

        async def watched(*what):
            task = asyncio.current_task()
            assert task
            asked_by.append(task.get_name())
            return await windows(*what)

        monkeypatch.setattr(world.series, "windows", watched)
        now = world.clock.civil_ms()
        path = f"{self.PATH}?start={now}&end={now + 400_000}&window=100"
        assert (await world.get(path)).status_code == 200
        assert asked_by == ["history-level_percent", "history-power_w"]
        world.series.available = False
        assert (await world.get(path)).status_code == 503

    async def test_a_store_that_does_not_answer_is_told_as_such(self, world: World):
        world.series.available = False
        now = world.clock.civil_ms()
        answer = await world.get(f"{self.PATH}?start={now}&end={now + 1000}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["type"].endswith("unavailable")


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


class TestSystem:
    async def test_dead_letters_are_shown_and_tried_again(self, world: World):
        kept = [Letter("gw-1", Reason.OUT_OF_BOUNDS, f"power_w {n}", b'{"n":%d}' % n, 5) for n in range(3)]
        await world.ledger.write(lambda ledger: letters.keep(ledger, kept))
        first = (await world.get("/dead-letters?limit=2")).json()
        assert (first["total"], len(first["items"])) == (3, 2)
        assert first["items"][0]["body"] == '{"n":2}'
        older = (await world.get(f"/dead-letters?limit=2&before={first['next_before']}")).json()
        assert [item["detail"] for item in older["items"]] == ["power_w 0"]
        body = {"ids": [first["items"][0]["id"], 999], "reason": "profile mended"}
        outcomes = (await world.send("POST", "/dead-letters/replay", body)).json()["items"]
        assert [item["stored"] for item in outcomes] == [True, False]
        assert (await world.get("/dead-letters")).json()["total"] == 2
        entry = (await world.get("/audit?limit=1", name="admin")).json()["items"][0]
        assert (entry["action"], entry["result"]) == ("dead-letters.replay", "1 of 2 stored")

    async def test_alarms(self, world: World):
        world.services.alarms.raised("spool:gw-1", "the spool of gw-1 is full")
        found = (await world.get("/alarms")).json()
        assert [(item["key"], item["cleared_ms"]) for item in found["items"]] == [("spool:gw-1", None)]
        world.services.alarms.cleared("spool:gw-1")
        assert (await world.get("/alarms")).json()["total"] == 0
        assert (await world.get("/alarms?past=true")).status_code == 200

    async def test_the_trail_is_verified(self, world: World):
        assert (await world.send("POST", "/audit/verify")).json()["whole"] is True

    async def test_health_tells_strangers_a_word_and_readers_figures(self, world: World):
        assert (await world.client.get("/api/v1/health")).json() == {"status": "ok", "detail": None}
        detail = (await world.get("/health")).json()["detail"]
        assert detail["devices"] == {"lamp": 10, "cabinet": 1, "circuit": 0, "truck": 0, "sensor": 0}
        assert (detail["gateways_enrolled"], detail["held"]) == (2, False)

    async def test_clock_and_city(self, world: World):
        world.clock.advance(1)
        clock = (await world.get("/clock")).json()
        assert clock["rate"] == 60.0
        assert clock["civil_ms"] - clock["wall_ms"] == 59_000
        assert (await world.get("/city")).json()["name"] == {"zh": "示例城", "en": "Sample city"}

    async def test_release_ends_the_hold_once(self, world: World):
        world.actions.is_held = True
        why = {"reason": "looked at every gateway"}
        assert (await world.send("POST", "/controller/release", why)).json() == {"result": "released"}
        assert (await world.send("POST", "/controller/release", why)).status_code == 409

    async def test_release_names_whom_it_waits_for_and_does_not_wait_when_told(self, world: World):
        world.actions.is_held, world.actions.unheard = True, ("gw-7",)
        why = {"reason": "looked at everything"}
        refused = await world.send("POST", "/controller/release", why)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:lamplighter:problem:unheard")
        assert "gw-7" in refused.json()["detail"]
        assert world.actions.is_held
        anyway = why | {"anyway": True}
        assert (await world.send("POST", "/controller/release", anyway)).json() == {"result": "released"}

    async def test_backup(self, world: World):
        assert (await world.send("POST", "/controller/backup")).json() == {"result": "2025-11-20T1300"}
        world.actions.backup_fails = True
        failed = await world.send("POST", "/controller/backup")
        assert (failed.status_code, failed.json()["detail"]) == (503, "no space left on device")

    async def test_tokens_are_made_listed_and_ended(self, world: World):
        wanted = {"name": "wall", "rights": ["read"], "reason": "screen"}
        made = (await world.send("POST", "/tokens", wanted)).json()
        header = {"Authorization": f"Bearer {made['token']}"}
        assert (await world.client.get("/api/v1/clock", headers=header)).status_code == 200
        assert (await world.send("POST", "/tokens", wanted)).status_code == 409
        listed = (await world.send("GET", "/tokens")).json()["items"]
        assert {item["name"]: item["rights"] for item in listed}["wall"] == ["read"]
        assert made["token"].partition(".")[2] not in str(listed)
        assert (await world.send("DELETE", "/tokens/wall", {"reason": "gone"})).status_code == 204
        assert (await world.client.get("/api/v1/clock", headers=header)).status_code == 401
        assert (await world.send("DELETE", "/tokens/wall", {"reason": "gone"})).status_code == 404

    async def test_nobody_gives_rights_that_they_lack(self, world: World):
        wanted = {"name": "more", "rights": ["read", "command"], "reason": "please"}
        answer = await world.send("POST", "/tokens", wanted)
        assert answer.json()["errors"][0] == {
            "field": "body.rights",
            "rule": "not-yours",
            "detail": "Your own token lacks command.",
        }


class TestEnvelope:
    async def test_every_answer_is_dressed(self, world: World):
        for path in ("/", "/api/v1/health", "/api/v1/clock", "/nothing"):
            headers = (await world.client.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert "unsafe" not in headers["content-security-policy"]
        assert (await world.get("/clock")).headers["cache-control"] == "no-store"

    async def test_without_a_built_console_there_is_a_plain_page(self, world: World):
        page = await world.client.get("/")
        assert page.status_code == 200
        assert "openapi.json" in page.text

    async def test_what_does_not_exist_is_a_problem_document(self, world: World):
        for method, path, status in (("GET", "/api/v1/nothing", 404), ("PATCH", "/api/v1/clock", 405)):
            answer = await world.client.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status

    async def test_a_body_beyond_the_bound_is_refused_announced_or_not(self, world: World):
        headers = world.bearer("operator") | {"Content-Type": "application/json"}
        big = b'{"op":"' + b"x" * MAX_BODY_BYTES + b'"}'

        async def pieces():
            for start in range(0, len(big), 65_536):
                yield big[start : start + 65_536]

        for content in (big, pieces()):
            answer = await world.client.post("/api/v1/commands", content=content, headers=headers)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 5000, b"1e999", b'"x"'])
    async def test_what_is_no_request_is_refused(self, world: World, content: bytes):
        headers = world.bearer("operator") | {"Content-Type": "application/json"}
        answer = await world.client.post("/api/v1/commands", content=content, headers=headers)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_the_reference_shows_every_operation_and_takes_nothing_from_elsewhere(self, world: World):
        page = (await world.client.get("/docs")).text
        for path, methods in world.app.openapi()["paths"].items():
            for method in methods:
                assert f"{method.upper()} {path}" in page
        assert "light.resume" in page or "light.set" in page
        assert "<script" not in page
        assert "style=" not in page
        assert (await world.client.get("/docs.css")).headers["content-type"].startswith("text/css")

    async def test_every_example_of_the_reference_can_be_pasted(self, world: World):
        page = html.unescape((await world.client.get("/docs")).text).replace("lamp-01-017", LAMPS[0])
        assert "{" not in "".join(re.findall(r"'http[^']*'", page))
        wrong = []
        for command in re.findall(r"<pre tabindex=0>(.*?)</pre>", page, re.DOTALL):
            method = found[1] if (found := re.search(r"-X (\w+)", command)) else "GET"
            body = json.loads(found[1]) if (found := re.search(r"-d '(.*)'", command)) else None
            address = re.findall(r"'(http[^']*)'", command)[-1]
            if re.search(r"/(live|events)$", address):  # they do not end
                continue
            answer = await world.client.request(method, address, json=body, headers=world.bearer("operator"))
            if answer.status_code in {400, 405, 422} or answer.status_code >= 500:
                wrong.append((command, answer.text))
        assert wrong == []

    async def test_the_usual_place_of_the_description_leads_to_it(self, world: World):
        moved = await world.client.get("/openapi.json")
        assert (moved.status_code, moved.headers["location"]) == (307, "/api/v1/openapi.json")

    async def test_a_rule_is_told_to_its_end(self, world: World):
        told = (await world.post("/commands", {"op": "x", "devices": LAMPS[:1], "reason": "r"})).json()
        assert told["errors"][0]["detail"].endswith("'gateway.restart'")

    async def test_the_description_is_complete(self, world: World):
        document = (await world.client.get("/api/v1/openapi.json")).json()
        known = {tag["name"] for tag in document["tags"]}
        ids = set()
        for path, methods in document["paths"].items():
            assert path.startswith("/api/v1/")
            for operation in methods.values():
                assert operation["summary"]
                assert set(operation["tags"]) <= known
                ids.add(operation["operationId"])
        assert len(ids) == sum(map(len, document["paths"].values()))


TEXT = st.text(max_size=30)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            "kind",
            "gateway",
            "prefix",
            "state",
            "text",
            "limit",
            "offset",
            "start",
            "end",
            "window",
            "quantities",
            "aggregate",
            "before",
            "device",
            "past",
            "surprise",
        ]
    ),
    st.one_of(TEXT, st.integers(-(2**70), 2**70).map(str), st.sampled_from(["lamp", "on", "gw-1", "", "NaN", "1e9"])),
    max_size=4,
)
PATHS = st.sampled_from(
    ["/devices", "/devices/lamp-01-001/history", "/latest", "/commands", "/gateways", "/dead-letters", "/alarms"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, query=QUERIES)
async def test_no_query_is_ever_our_fault(world: World, path: str, query: dict[str, str]):
    answer = await world.client.get(f"/api/v1{path}", params=query, headers=world.bearer("reader"))
    assert answer.status_code in {200, 422}, answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    change=st.dictionaries(
        st.sampled_from(["op", "devices", "where", "gateways", "args", "reason", "approvals", "expires_s", "x"]),
        JSON,
        max_size=3,
    )
)
async def test_no_body_is_ever_our_fault(world: World, change: dict[str, object]):
    body = {"op": "light.resume", "devices": LAMPS[:1], "reason": "test"} | change
    answer = await world.client.post("/api/v1/commands", json=body, headers=world.bearer("operator"))
    assert answer.status_code in {202, 409, 422}, answer.text
