import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.quality import Quality
from lamplighter_contract.wire.documents import ClockState
from lamplighter_gateway.watch import kernel_clock
from lamplighter_gateway.watch.clock_trust import TimeSense


def test_the_kernel_is_asked_and_says_something():
    state = kernel_clock.system_clock()
    assert state.source in {"ntp", "rtc", "system"}
    assert state.uncertainty_ms >= 0


class Kernel:
    """An adjtimex of another machine."""

    def __init__(self, status, maxerror_us):
        self.status, self.maxerror_us = status, maxerror_us

    def adjtimex(self, timex):
        timex._obj.status, timex._obj.maxerror = self.status, self.maxerror_us
        return 0


@pytest.mark.parametrize(
    ("status", "hctosys", "state"),
    [
        (0, "1", ClockState("ntp", 12.5)),
        (kernel_clock.UNSYNCHRONISED, "1", ClockState("rtc", kernel_clock.RTC_UNCERTAINTY_MS)),
        (kernel_clock.UNSYNCHRONISED, "0", ClockState("system", kernel_clock.SYSTEM_UNCERTAINTY_MS)),
    ],
)
def test_ntp_before_a_hardware_clock_before_whoever_set_it(tmp_path, monkeypatch, status, hctosys, state):
    (tmp_path / "rtc0").mkdir()
    (tmp_path / "rtc0" / "hctosys").write_text(f"{hctosys}\n")
    monkeypatch.setattr(kernel_clock, "_RTC", tmp_path)
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Kernel(status, 12_500))
    assert kernel_clock.system_clock() == state


def test_a_clock_that_stands_before_what_was_lived_through_is_not_trusted_whatever_the_kernel_says():
    time = TimeSense(ManualClock(), lambda: ClockState("ntp", 1.0))
    assert (time.state().source, time.doubts()) == ("ntp", Quality.GOOD)
    time.latest_known_ms = ManualClock().wall_ms() + 3_600_000
    assert (time.state().source, time.trusted()) == ("none", False)
