"""Stories of intake: what is acknowledged is stored or on the dead-letter list, whatever breaks."""

import asyncio
from pathlib import Path

import orjson

from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.documents import ControllerState, GatewayState
from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.frame import Envelope, events_body, results_body, seal
from lamplighter_contract.wire.topics import Up, up
from lamplighter_controller.intake import letters, store
from lamplighter_controller.intake.acks import Sender
from lamplighter_controller.intake.placing import Letter
from lamplighter_controller.intake.presence import Status
from lamplighter_controller.intake.records import Record
from lamplighter_controller.security import audit, enrolment
from tests.controller.intake.stand_ins import NOW_MS, Centre, centre, frame, until


def key(device: str, time_ms: int = NOW_MS) -> tuple[str, int]:
    return device, time_ms


async def listed(here: Centre) -> list[letters.Kept]:
    return await here.ledger.read(letters.newest)


async def test_a_frame_is_stored_then_acknowledged_then_known(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.send(Up.LIVE, frame(11, "lamp-1", "lamp-2", power_w=57.5))
        await until(lambda: here.acked() == {11})
        assert here.series.rows[key("lamp-2")] == {"power_w": 57.5}
        state = here.twin.state("lamp-1")
        assert state is not None
        assert state.values == {"power_w": 57.5}
        (ack,) = here.acks()
        assert (ack.controller, ack.epoch, ack.boot) == ("centre", 7, "boot-a")


async def test_nothing_is_acknowledged_while_the_store_hangs_and_results_go_on(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.series.open.clear()
        here.send(Up.LIVE, frame(1, "lamp-1"))
        result = Result("command-1", 1, NOW_MS, CommandState.VERIFIED)
        here.send(Up.URGENT, seal(results_body([result]), Envelope(2, "boot-a", NOW_MS)))
        await until(lambda: here.acked() == {2})
        assert here.results.taken == [("gw-1", result)]
        assert not here.series.rows
        here.series.open.set()
        await until(lambda: here.acked() == {1, 2})


async def test_a_store_that_hangs_costs_bounded_memory_and_everything_comes_again(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.series.open.clear()
        lane = here.intake.readings
        lane.live.limit_bytes = lane.backlog.limit_bytes = 20_000
        for seq in range(200):
            here.send(Up.LIVE, frame(seq, "lamp-1", time_ms=NOW_MS + seq))
        assert here.intake.reception.counts["turned-away"] > 0
        assert lane.live.bytes <= 21_000
        here.series.open.set()
        for seq in range(200):  # the gateway sends again what was not acknowledged
            await until(lambda: not lane.live.full)
            here.send(Up.LIVE, frame(seq, "lamp-1", time_ms=NOW_MS + seq))
        await until(lambda: here.acked() == set(range(200)))
        assert len(here.series.rows) == 200


async def test_a_store_that_fails_is_tried_again_with_an_alarm_that_ends(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.series.failures = 2
        here.send(Up.LIVE, frame(1, "lamp-1"))
        await until(lambda: here.intake.alarms.is_raised("series"))
        assert not here.acked()
        assert not here.intake.storing
        await until(lambda: here.acked() == {1})
        assert not here.intake.alarms.is_raised("series")


async def test_what_the_store_will_never_take_becomes_a_letter_and_its_neighbours_are_stored(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.series.rejects = lambda device: device == "lamp-2"
        here.send(Up.LIVE, frame(1, "lamp-1", "lamp-2"))
        await until(lambda: here.acked() == {1})
        assert set(here.series.rows) == {key("lamp-1")}
        (kept,) = await listed(here)
        assert "made to reject" in kept.letter.detail
        here.series.rejects = lambda _device: False
        (outcome,) = await here.intake.replayer.replay([kept.id])
        assert outcome.stored
        assert set(here.series.rows) == {key("lamp-1"), key("lamp-2")}
        assert await listed(here) == []


async def test_bad_cells_rows_and_columns_become_letters_and_the_rest_is_stored(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.send(Up.LIVE, frame(1, "lamp-1", "lamp-2", "lamp-9", power_w=1.0, voltage_v=99_999.0, colour=3))
        here.send(Up.LIVE, frame(2, "lamp-3", time_ms=NOW_MS + 86_400_000))
        await until(lambda: here.acked() == {1, 2})
        assert set(here.series.rows) == {key("lamp-1"), key("lamp-2")}
        reasons = {kept.letter.reason for kept in await listed(here)}
        assert reasons == {"out-of-bounds", "unknown-quantity", "unknown-device", "absurd-time"}


async def test_frames_of_a_stranger_are_not_acknowledged_until_it_is_enrolled(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.send(Up.LIVE, frame(1, "lamp-1"), gateway="gw-2")
        assert here.intake.alarms.is_raised("gateway-unknown:gw-2")
        assert here.intake.gateways.strangers.keys() == {"gw-2"}
        await here.ledger.write(lambda c: enrolment.enrol(c, "gw-2", who="t", reason="t", time_ms=1))
        await here.intake.enrolment_changed()
        assert here.link.renewed == 1
        assert not here.intake.alarms.is_raised("gateway-unknown:gw-2")
        here.devices("lamp-21", gateway="gw-2")
        here.send(Up.LIVE, frame(1, "lamp-21"), gateway="gw-2")
        await until(lambda: here.acked("gw-2") == {1})


async def test_a_frame_mostly_of_unknown_devices_is_not_acknowledged(tmp_path: Path) -> None:
    async with centre(tmp_path, "gw-1", "gw-2") as here:
        here.send(Up.LIVE, frame(1, "lamp-1", "lamp-2"), gateway="gw-2")
        here.send(Up.LIVE, frame(2, "lamp-1"))
        await until(lambda: here.acked() == {2})
        assert not here.acked("gw-2")
        assert here.intake.alarms.is_raised("gateway-devices:gw-2")


async def test_repeats_are_acknowledged_again_and_change_nothing(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for _ in range(3):
            here.send(Up.LIVE, frame(5, "lamp-1"))
            await until(lambda: here.acked() == {5})
            here.link.sent.clear()
        assert len(here.series.rows) == 1


async def test_a_ledger_that_fails_holds_back_only_its_own_frames(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.results.failures = 1
        result = Result("command-1", 1, NOW_MS, CommandState.VERIFIED)
        here.send(Up.URGENT, seal(results_body([result]), Envelope(1, "boot-a", NOW_MS)))
        await until(lambda: here.intake.alarms.is_raised("ledger"))
        here.send(Up.LIVE, frame(2, "lamp-1"))
        await until(lambda: here.acked() == {1, 2})
        assert not here.intake.alarms.is_raised("ledger")


async def test_a_result_of_a_command_nobody_gave_becomes_a_letter(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        result = Result("unknown", 1, NOW_MS, CommandState.VERIFIED)
        here.send(Up.URGENT, seal(results_body([result]), Envelope(1, "boot-a", NOW_MS)))
        await until(lambda: here.acked() == {1})
        (kept,) = await listed(here)
        assert kept.letter.detail == "no such command"
        (outcome,) = await here.intake.replayer.replay([kept.id])
        assert not outcome.stored
        assert len(await listed(here)) == 1


async def test_acks_that_are_refused_or_lost_raise_an_alarm_or_come_with_the_repeat(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.link.denied = lambda topic: topic.endswith("/ack")
        here.send(Up.LIVE, frame(1, "lamp-1"))
        await until(lambda: here.intake.alarms.is_raised("acks-denied"))
        here.link.denied, here.link.up = (lambda _topic: False), False
        here.send(Up.LIVE, frame(2, "lamp-2"))
        await until(lambda: key("lamp-2") in here.series.rows)
        here.link.up = True
        for seq, device in ((1, "lamp-1"), (2, "lamp-2")):
            here.send(Up.LIVE, frame(seq, device))
        await until(lambda: here.acked() == {1, 2})


async def test_events_are_stored_once_and_then_acknowledged(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        event = Event("event-1", NOW_MS, "door", "lamp-1", {"open": True})
        for seq in (1, 2):
            here.send(Up.URGENT, seal(events_body([event]), Envelope(seq, "boot-a", NOW_MS)))
            await until(lambda: seq in here.acked())  # noqa: B023 - awaited within the step
        found = await here.ledger.read(store.newest_events)
        assert [(item.gateway, item.event) for item in found] == [("gw-1", event)]


async def test_a_refusal_at_a_gateway_stands_in_the_audit_trail_once(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        event = Event("event-1", NOW_MS, "command.refused.signature", None, {"detail": "it does not fit"})
        for seq in (1, 2):
            here.send(Up.URGENT, seal(events_body([event]), Envelope(seq, "boot-a", NOW_MS)))
            await until(lambda: seq in here.acked())  # noqa: B023 - awaited within the step
        (told,) = await here.ledger.read(lambda ledger: audit.newest(ledger, subject="gateway:gw-1", limit=1))
        assert (told.entry.action, told.entry.reason) == ("command.refuse", "signature: it does not fit")
        rows = await here.ledger.read(lambda ledger: audit.newest(ledger, subject="gateway:gw-1"))
        assert [row.entry.action for row in rows].count("command.refuse") == 1


async def test_a_frame_of_an_unknown_kind_is_kept_whole_and_acknowledged(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.send(Up.LIVE, orjson.dumps({"v": 1, "seq": 3, "boot": "boot-a", "sent": 1, "kind": "balloon"}))
        here.send(Up.LIVE, b"\xff\xfe not json")
        await until(lambda: here.acked() == {3})
        assert {kept.letter.reason for kept in await listed(here)} == {"unknown-kind", "malformed"}
        assert here.intake.alarms.is_raised("refused:gw-1:live:malformed")


async def test_a_will_of_an_older_boot_says_nothing(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.birth(boot="boot-a")
        here.birth(boot="boot-b")
        here.birth(boot="boot-a", online=False)
        assert here.intake.gateways.status("gw-1") is Status.ONLINE
        here.birth(boot="boot-b", online=False)
        assert here.intake.gateways.status("gw-1") is Status.OFFLINE
        assert here.intake.alarms.is_raised("gateway-offline:gw-1")


async def test_two_gateways_with_one_id_are_noticed_and_settle(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for boot in ("boot-a", "boot-b", "boot-a"):
            here.birth(boot=boot)
        assert here.intake.gateways.doubled("gw-1")
        here.clock.advance(121)
        here.intake.gateways.tick()
        assert not here.intake.gateways.doubled("gw-1")
        assert not here.intake.alarms.is_raised("gateway-doubled:gw-1")


async def test_a_former_birth_that_a_broker_remembers_is_no_second_gateway(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for boot in ("boot-a", "boot-b"):
            here.birth(boot=boot)
        here.clock.advance(60)
        old = documents.encode(GatewayState("boot-a", online=True, highest_seq=5))
        here.link.deliver(up("gw-1", Up.STATE), old, retained=True)
        assert not here.intake.gateways.doubled("gw-1")
        state = here.intake.gateways.report("gw-1").state
        assert state is not None
        assert state.boot == "boot-b"
        here.send(Up.LIVE, frame(1, "lamp-1", boot="boot-a"))
        assert here.intake.gateways.doubled("gw-1")


async def test_a_later_epoch_than_ours_raises_an_alarm_and_our_own_voice_does_not(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for boot, epoch, raised in (("boot-c", 7, False), ("former", 6, False), ("other", 8, True)):
            state = ControllerState("centre", boot, epoch, online=True, storing=True)
            here.intake.controller_state(documents.encode(state))
            assert here.intake.alarms.is_raised("later-epoch") is raised


async def test_a_gateway_whose_civil_time_runs_otherwise_raises_an_alarm(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for rate, raised in ((60.0, True), (1.0, False)):
            here.send(Up.STATE, documents.encode(GatewayState("boot-a", online=True, rate=rate)))
            assert here.intake.alarms.is_raised("gateway-rate:gw-1") is raised


async def test_a_silent_gateway_is_stale_until_it_is_heard(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.birth()
        await here.intake.connected()
        here.clock.advance(46)
        here.intake.gateways.tick()
        assert here.intake.gateways.status("gw-1") is Status.STALE
        here.send(Up.LIVE, frame(1, "lamp-1"))
        assert here.intake.gateways.status("gw-1") is Status.ONLINE


async def test_a_frame_sent_twice_leaves_one_letter(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        for _ in range(2):
            here.send(Up.LIVE, frame(1, "lamp-1", power_w=1e9))
            await until(lambda: here.acked() == {1})
            here.link.sent.clear()
        assert len(await listed(here)) == 1


async def test_what_was_adopted_and_raised_is_there_after_a_restart(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.birth()
        here.birth(online=False)
        await here.intake.farewell()
        first = await here.ledger.write(lambda c: store.begin_epoch(c, 5))
        second = await here.ledger.write(lambda c: store.begin_epoch(c, 5))
        assert second == first + 1
    async with centre(tmp_path) as again:
        assert again.intake.alarms.is_raised("gateway-offline:gw-1")
        assert again.intake.gateways.report("gw-1").state is not None
        assert again.intake.gateways.status("gw-1") is Status.UNKNOWN
        again.clock.advance(601)
        again.intake.alarms.tick()
        assert not again.intake.alarms.is_raised("gateway-offline:gw-1")


async def test_the_dead_letter_list_is_bounded_and_counts_what_went(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        many = [Letter("gw-1", "malformed", str(n), b"%3d" % n + b"x" * 97, n) for n in range(10)]  # type: ignore[arg-type]  # a word will do
        gone = await here.ledger.write(lambda c: letters.keep(c, many, most=4))
        assert gone == 6
        await here.ledger.write(lambda c: letters.keep(c, [*many[:1], *many[:1]], most_bytes=250))
        tally = await here.ledger.read(letters.tally)
        assert (tally.letters, tally.bytes, tally.dropped) == (2, 200, 9)


async def test_what_the_ledger_will_never_take_becomes_a_letter_and_its_neighbours_are_stored(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        beyond = Event("event-1", 2**63, "door.open")  # as if a check had let it through
        good = Event("event-2", NOW_MS, "door.open")
        lane = here.intake.urgent
        lane.room.put(Record(Sender("gw-1", "boot-a", 1), events=(beyond,)))
        lane.room.put(Record(Sender("gw-1", "boot-a", 2), events=(good,)))
        await until(lambda: here.acked() == {1, 2})
        (kept,) = await listed(here)
        assert (kept.letter.gateway, kept.letter.reason) == ("gw-1", "out-of-bounds")
        assert orjson.loads(kept.letter.body)["events"][0]["id"] == "event-1"
        (stored,) = await here.ledger.read(store.newest_events)
        assert stored.event == good
        (outcome,) = await here.intake.replayer.replay([kept.id])
        assert not outcome.stored


async def test_what_the_ledger_will_never_take_does_not_end_the_journal(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        journal = here.intake.journal
        journal.put("bad", lambda connection: store.put_alarm(connection, store.Alarm("bad", "", 2**63, None)))
        journal.put("good", lambda connection: store.put_alarm(connection, store.Alarm("good", "", 1, None)))
        async with asyncio.timeout(5):
            while [alarm.key for alarm in await here.ledger.read(store.active_alarms)] != ["good"]:
                await asyncio.sleep(0.005)


async def test_a_hostile_birth_or_result_is_refused_and_the_next_command_goes_out(tmp_path: Path) -> None:
    async with centre(tmp_path) as here:
        here.send(Up.STATE, b'{"boot":"b","online":true,"highest_seq":9007199254740992}')
        assert here.intake.gateways.report("gw-1").state is None
        assert here.intake.alarms.is_raised("refused:gw-1:state:malformed")
        lie = Result("nobody", 1, NOW_MS, CommandState.REJECTED).as_json() | {"highest_seq": 2**63}
        body = orjson.dumps({"kind": "result", "results": [lie]})
        here.send(Up.URGENT, seal(body, Envelope(3, "boot-a", NOW_MS)))
        await until(lambda: here.acked() == {3})
        (kept,) = await listed(here)
        assert "highest_seq" in kept.letter.detail
