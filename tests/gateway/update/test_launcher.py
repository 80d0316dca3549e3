import signal
import sys
import threading

import pytest

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.update import launcher
from lamplighter_gateway.update.launcher import SWITCH, Launcher
from lamplighter_gateway.update.place import Place
from lamplighter_gateway.update.slots import MOST_STARTS, Installed, Slot, Slots, runs

OLD, NEW = Installed(Slot.BASE, "1.0.0", ""), Installed(Slot.A, "2.0.0", "f" * 64)
ENDS, DIES, HANGS = "raise SystemExit(0)", "raise SystemExit(1)", "import time; time.sleep(60)"


class Scripts(Place):
    """Each slot runs a script instead of a gateway."""

    def __init__(self, data, scripts):
        super().__init__(data, "1.0.0")
        self.scripts = scripts
        self.started = []

    def _is_there(self, installed):
        return True

    def command(self, slots, arguments):
        its = runs(slots)
        self.started.append(its.version)
        return [sys.executable, "-c", self.scripts[its.version]]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(launcher, "LOOK_S", 0.02)
    monkeypatch.setattr(launcher, "PAUSE_S", 0.02)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def on_trial(tmp_path, script, health_s=30.0):
    place = Scripts(tmp_path, {"1.0.0": ENDS, "2.0.0": script})
    place.save(Slots(OLD).tries(NEW, (True, True), health_s))
    return place


def test_a_version_that_is_never_healthy_is_taken_back(tmp_path):
    place = on_trial(tmp_path, HANGS, health_s=0.3)
    assert Launcher(place, [], SystemClock()).run() == 0
    assert place.started == ["2.0.0", "1.0.0"]
    slots = place.load()
    assert (slots.good, slots.trial) == (OLD, None)
    assert "not healthy" in slots.failed[-1][1]
    assert slots.untold


def test_a_version_that_dies_at_each_start_is_taken_back(tmp_path):
    place = on_trial(tmp_path, DIES)
    assert Launcher(place, [], SystemClock()).run() == 0
    assert place.started == ["2.0.0"] * MOST_STARTS + ["1.0.0"]
    assert "did not live" in place.load().failed[-1][1]


def test_a_version_that_proves_itself_stays(tmp_path):
    place = on_trial(tmp_path, HANGS)
    launching = Launcher(place, [], SystemClock())

    def prove():
        while not place.started:
            threading.Event().wait(0.01)
        place.save(place.load().proves())
        while launching._child is None:
            threading.Event().wait(0.01)
        launching._child.terminate()

    proving = threading.Thread(target=prove)
    proving.start()
    assert launching.run() == -signal.SIGTERM
    proving.join()
    assert place.started == ["2.0.0"]
    assert place.load().good == NEW


def test_the_end_that_asks_for_another_version_starts_it(tmp_path):
    place = on_trial(tmp_path, DIES)
    place.save(Slots(OLD))
    place.scripts["1.0.0"] = (
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "known = mark.exists(); mark.touch()\n"
        f"sys.exit(0 if known else {SWITCH})"
    )
    assert Launcher(place, [], SystemClock()).run() == 0
    assert place.started == ["1.0.0", "1.0.0"]


def test_an_empty_slot_is_no_reason_not_to_start(tmp_path):
    place = Place(tmp_path, "1.0.0")
    place.save(Slots(NEW))
    assert place.load().good == OLD
    (place.folder / "slots.json").write_bytes(b"{")
    assert place.load().good == OLD
