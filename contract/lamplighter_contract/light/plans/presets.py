"""Programs and calendars after the published practice of Jinan's lighting authority.

Saving mode from 23:30 in summer and 22:30 in winter, in winter full light again one hour before switch-off (Jinan
Times, 2011-11-29 and 2012-02-18); summer is April to September. On as the sun goes below -3 degrees and never later
than 25 minutes after sunset, off as it comes back above -4.5 degrees: the published switching times of Jinan, Yantai
and Tengzhou lie at -3.2, -2.0 and -3.6 degrees in the evening and -4.0 and -5.4 in the morning. All lamps are dimmed
instead of every second one switched off, which spoils uniformity. What is published says when, not how far: saving
levels and floors are a place to begin, and a city puts in its own.
"""

from datetime import time
from typing import Final

from lamplighter_contract.light.plans.calendars import Calendar, Rule
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step
from lamplighter_contract.light.sky.moments import ClockMoment, SunEvent, SunMoment

ON: Final = SunMoment(SunEvent.DUSK, -3.0, horizon_within_min=25)
OFF: Final = SunMoment(SunEvent.DAWN, -4.5)
HOUR_BEFORE_OFF: Final = SunMoment(SunEvent.DAWN, -4.5, offset_min=-60)

FULL: Final = Levels(100)
SAVING: Final = Levels(50, {RoadClass.EXPRESSWAY: 70, RoadClass.MAIN: 60})
FLOORS: Final = Levels(30, {RoadClass.EXPRESSWAY: 60, RoadClass.MAIN: 50, RoadClass.SECONDARY: 50})
RAMP_S: Final = 60.0
MINIMUM_ON_MIN: Final = 10.0

FULL_NIGHT: Final = Program("full-night", FULL, ON, OFF, minimum_on_min=MINIMUM_ON_MIN, floors=FLOORS)

SUMMER: Final = Program(
    "saving-summer",
    FULL,
    ON,
    OFF,
    (Step(ClockMoment(time(23, 30)), SAVING, RAMP_S),),
    minimum_on_min=MINIMUM_ON_MIN,
    floors=FLOORS,
)

WINTER: Final = Program(
    "saving-winter",
    FULL,
    ON,
    OFF,
    (Step(ClockMoment(time(22, 30)), SAVING, RAMP_S), Step(HOUR_BEFORE_OFF, FULL, RAMP_S)),
    minimum_on_min=MINIMUM_ON_MIN,
    floors=FLOORS,
)

HALF_NIGHT: Final = Program(
    "half-night",
    FULL,
    ON,
    ClockMoment(time(0, 0)),
    minimum_on_min=MINIMUM_ON_MIN,
    dark_allowed=True,
)

SEASONS: Final = Calendar("seasons", SUMMER.id, (Rule("winter", WINTER.id, "--10-01", "--03-31"),))
ALL_NIGHT_LOOP: Final = Calendar("all-night-loop", FULL_NIGHT.id)
HALF_NIGHT_LOOP: Final = Calendar("half-night-loop", HALF_NIGHT.id)

PROGRAMS: Final = (FULL_NIGHT, SUMMER, WINTER, HALF_NIGHT)
CALENDARS: Final = (SEASONS, ALL_NIGHT_LOOP, HALF_NIGHT_LOOP)
