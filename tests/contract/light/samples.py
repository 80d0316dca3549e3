"""A small plan in which everything occurs, and strategies for random ones."""

from datetime import UTC, date, datetime, time

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from lamplighter_contract.light.adaptive import Daylight, Fog, Traffic
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar, Rule
from lamplighter_contract.light.plans.plan import Assignment, Circuit, Group, Output, Plan, PlanOverride
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.light.sky.moments import ClockMoment, SunEvent, SunMoment

# A whole plan is large: drawing it takes longer than what is asked of it, on a busy machine longer than is allowed.
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
LAMPS = tuple(f"lamp-{n}" for n in range(1, 9))


def jinan_ms(text: str) -> int:
    """Epoch ms of a civil time in Jinan, `yyyy-mm-dd hh:mm`."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - 8 * HOUR_MS


NOW_MS = jinan_ms("2025-03-30 09:59")
SHOW_MS = jinan_ms("2026-02-16 20:00")

SAMPLE = Plan(
    gateway="gw-1",
    version=7,
    as_of_seq=900,
    zone="Asia/Shanghai",
    latitude=36.67,
    longitude=117.0,
    programs=presets.PROGRAMS,
    calendars=presets.CALENDARS,
    circuits=(
        Circuit("circuit-1", lamps=("lamp-1", "lamp-2")),
        Circuit("circuit-2", "half-night-loop", lead_min=0, lag_min=0),
        Circuit("circuit-3"),
    ),
    groups=(Group("main", LAMPS[:4]), Group("alleys", LAMPS[4:6]), Group("square", ("lamp-3", "lamp-5"))),
    scenes=(
        Scene(
            "spring-festival",
            (
                Cue(0, 20, groups=("square",)),
                Cue(60, 100, 30, devices=("lamp-3",)),
                Cue(90, 60, groups=("square",)),
            ),
            SHOW_MS,
            SHOW_MS + 10 * MINUTE_MS,
        ),
        Scene("waiting", (Cue(0, 0, groups=("main",)),)),
    ),
    adaptive=(
        Fog("fog", "fog-north", Levels(100), groups=("main",)),
        Traffic("traffic", "traffic-1", {"low": Levels(40), "high": Levels(80)}, groups=("main",)),
        Daylight("storm", "lux-north", Levels(100, {RoadClass.ALLEY: 60}), 100, 15, groups=("main", "alleys")),
    ),
    assignments=(
        Assignment("seasons", RoadClass.MAIN, groups=("main",)),
        Assignment("seasons", RoadClass.ALLEY, groups=("alleys",)),
        Assignment("all-night-loop", RoadClass.MAIN, devices=("lamp-4",)),
    ),
    outputs=(Output(80, 90, devices=("lamp-2",)),),
    overrides=(
        PlanOverride("c-1", 899, 1_771_230_000_000, 30, jinan_ms("2026-02-16 23:00"), devices=("lamp-1", "lamp-2")),
        PlanOverride(
            "e-1", 898, 1_771_220_000_000, 100, jinan_ms("2026-02-16 22:00"), emergency=True, devices=("lamp-2",)
        ),
    ),
)

levels = st.builds(
    Levels,
    st.integers(0, 100).map(float),
    st.dictionaries(st.sampled_from(RoadClass), st.integers(0, 100).map(float), max_size=2),
)
clocks = st.times().map(lambda at: at.replace(microsecond=0))
moments = st.one_of(
    st.builds(ClockMoment, clocks),
    st.builds(
        SunMoment,
        st.sampled_from(SunEvent),
        st.sampled_from([-6.0, -3.0, 0.0]),
        st.floats(-90, 90),
        st.none() | st.floats(0, 90),
        st.none() | st.just(time(20, 0)),
        st.none() | st.just(time(6, 0)),
    ),
)
steps = st.lists(st.builds(Step, moments, levels, st.sampled_from([0.0, 30.0, 3600.0])), max_size=4).map(tuple)


def programs(name: str = "p"):
    return st.builds(
        Program,
        st.just(name),
        levels,
        st.none() | moments,
        st.none() | moments,
        steps,
        minimum_on_min=st.sampled_from([0.0, 10.0]),
    )


days = st.dates(date(2021, 1, 1), date(2035, 1, 1)) | st.sampled_from(
    [date(2025, 3, 29), date(2025, 10, 25), date(2024, 2, 29), date(2025, 12, 31)]
)
yearly = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: f"--{day:%m-%d}")
NAMES = ("p-0", "p-1", "p-2")


@st.composite
def calendars(draw, name: str = "c"):
    rules = []
    for number in range(draw(st.integers(0, 4))):
        start, end = draw(st.tuples(yearly, yearly) | st.just((None, None)))
        weekdays = draw(st.frozensets(st.integers(1, 7), max_size=3))
        rules.append(Rule(f"r-{number}", draw(st.sampled_from(NAMES)), start, end, weekdays))
    return Calendar(name, draw(st.sampled_from(NAMES)), tuple(rules))


ZONES = (("Asia/Shanghai", 36.67, 117.0), ("Europe/Berlin", 52.52, 13.4), ("Europe/Oslo", 69.65, 18.96))
some = st.lists(st.sampled_from(LAMPS), max_size=4, unique=True).map(tuple)
named = st.lists(st.sampled_from(["g-0", "g-1"]), max_size=2, unique=True).map(tuple)
percents = st.integers(0, 100).map(float)


@st.composite
def plans(draw, now_ms: int):
    """A plan whose overrides, scenes and rules may or may not be in force at an instant."""
    times = st.integers(-600, 600).map(lambda s: now_ms + s * 1000)
    zone, latitude, longitude = draw(st.sampled_from(ZONES))
    cue = st.builds(Cue, st.integers(0, 900), percents, st.sampled_from([0.0, 45.0]), named, some)
    rule = st.one_of(
        st.builds(Fog, st.just(""), st.just("fog"), levels, named, some),
        st.builds(
            Daylight, st.just(""), st.just("lux"), levels, st.just(100.0), st.just(20.0), groups=named, devices=some
        ),
        st.builds(Traffic, st.just(""), st.just("traffic"), st.fixed_dictionaries({"low": levels}), named, some),
    )
    scenes = [
        Scene(f"s-{n}", tuple(sorted(cues, key=lambda one: one.after_s)), starts, starts + 900_000)
        for n, (cues, starts) in enumerate(
            draw(st.lists(st.tuples(st.lists(cue, min_size=1, max_size=4), times), max_size=2))
        )
    ]
    override = st.builds(
        PlanOverride, st.just(""), st.integers(0, 9), times, percents, times, st.booleans(), named, some
    )
    return Plan(
        "gw-1",
        1,
        9,
        zone,
        latitude,
        longitude,
        tuple(draw(programs(name)) for name in NAMES),
        tuple(draw(calendars(f"c-{n}")) for n in range(2)),
        groups=(Group("g-0", draw(some)), Group("g-1", draw(some))),
        scenes=tuple(scenes),
        adaptive=tuple(_numbered(draw(st.lists(rule, max_size=3)))),
        assignments=tuple(
            draw(
                st.lists(
                    st.builds(
                        Assignment, st.sampled_from(["c-0", "c-1"]), st.none() | st.sampled_from(RoadClass), named, some
                    ),
                    max_size=3,
                )
            )
        ),
        outputs=tuple(
            draw(st.lists(st.builds(Output, st.just(80.0), st.integers(50, 100).map(float), named, some), max_size=2))
        ),
        overrides=tuple(_numbered(draw(st.lists(override, max_size=5)))),
    )


def _numbered(things):
    return [msgspec.structs.replace(thing, id=f"n-{number}") for number, thing in enumerate(things)]


@st.composite
def signals(draw, now_ms: int):
    offered = {
        "fog": st.sampled_from([0.0, 1.0, "thick"]),
        "lux": st.sampled_from([5.0, 60.0, 5000.0]),
        "traffic": st.sampled_from(["low", "unheard-of", 3.0]),
    }
    until = st.sampled_from([now_ms - 1, now_ms, now_ms + 60_000])
    names = draw(st.lists(st.sampled_from(sorted(offered)), unique=True))
    return {name: Signal(name, draw(offered[name]), draw(until)) for name in names}
