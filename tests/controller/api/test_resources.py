"""What the resources answer, and how they refuse."""

import asyncio

import pytest

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.api.resources.history import MAX_ROWS
from lamplighter_controller.intake import letters
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
