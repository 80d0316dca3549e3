"""Fences that a terminal watches by itself, as messages (JT/T 808-2019, 8.34 to 8.41, and 0x8F08 to 0x8F0B). Pure."""

from collections.abc import Mapping
from typing import Any, Final

from lamplighter_contract.truck.orders import Crossing, Meaning, Shape
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.messages import write_body
from lamplighter_gateway.profiles.model import Fences

Message = tuple[int, bytes]

APPEND: Final = 1  # a fence that is there under the same number is replaced
OVERSPEED_S: Final = 10
MUCK_AREA: Final = 0x8F08
MUCK_DELETE: Final = 0x8F09
MUCK_ROUTE: Final = 0x8F0B
SET: Final = {Shape.CIRCLE: 0x8600, Shape.RECTANGLE: 0x8602, Shape.POLYGON: 0x8604, Shape.ROUTE: 0x8606}
DELETE: Final = {Shape.CIRCLE: 0x8601, Shape.RECTANGLE: 0x8603, Shape.POLYGON: 0x8605, Shape.ROUTE: 0x8607}
MUCK_KINDS: Final = {Meaning.SITE: 1, Meaning.GROUND: 2, Meaning.PARKING: 5}
_TIMED: Final = 1 << 0
_SPEED: Final = 1 << 1
_CROSSINGS: Final = {Crossing.NONE: 0, Crossing.ENTER: 0b11 << 2, Crossing.LEAVE: 0b11 << 4, Crossing.BOTH: 0b1111 << 2}
_SOUTH: Final = 1 << 6
_WEST: Final = 1 << 7
_TURN_SOUTH: Final = 1 << 2
_TURN_WEST: Final = 1 << 3
_HEMISPHERES: Final = "all points of a fence in one hemisphere"


def fence_messages(args: Mapping[str, Any], edition: Edition, fences: Fences) -> tuple[Message, ...] | str:
    """A fence to be watched from now on; why not, in words, where this terminal cannot."""
    points = [(float(latitude), float(longitude)) for latitude, longitude in args["points"]]
    if any(len({degrees < 0 for degrees in ordinates}) > 1 for ordinates in zip(*points, strict=True)):
        return _HEMISPHERES
    shape = Shape(args["shape"])
    if fences is Fences.ZT_8F and (shape is Shape.ROUTE or args.get("meaning", Meaning.AREA) in MUCK_KINDS):
        return _muck(shape, args, points)
    message = SET[shape]
    return ((message, write_body(message, _standard(shape, args, points), edition)),)


def unfence_messages(args: Mapping[str, Any], edition: Edition, fences: Fences) -> tuple[Message, ...] | str:
    """A fence, or all of a shape, to be watched no more."""
    shape, number = Shape(args["shape"]), args.get("fence")
    ids = [] if number is None else [number]
    standard = (DELETE[shape], write_body(DELETE[shape], {"ids": ids}, edition))
    if fences is not Fences.ZT_8F or shape not in (Shape.POLYGON, Shape.ROUTE):
        return (standard,)
    if number is None:
        return "the number of a fence: this terminal forgets all areas and routes, or one"
    body = write_body(MUCK_DELETE, {"repeats": MUCK_DELETE, "action": 1, "ids": ids}, edition)
    return ((MUCK_DELETE, body), standard)


def _muck(shape: Shape, args: Mapping[str, Any], points: list[tuple[float, float]]) -> tuple[Message, ...] | str:
    """Where a truck loads, dumps and rests; no bound of speed, which would limit it past the interlock."""
    values = {
        "id": args["fence"],
        "max_speed_kmh": 0,
        "points": [{"latitude": abs(latitude), "longitude": abs(longitude)} for latitude, longitude in points],
    }
    if shape is Shape.ROUTE:
        body = write_body(MUCK_ROUTE, values | {"repeats": MUCK_ROUTE, "width_m": args["width_m"]}, Edition.V2013)
        return ((MUCK_ROUTE, body),)
    if shape is not Shape.POLYGON:
        return f"a polygon for a {args['meaning']}: this terminal knows it as nothing else"
    kind = MUCK_KINDS[Meaning(args["meaning"])]
    return ((MUCK_AREA, write_body(MUCK_AREA, values | {"repeats": MUCK_AREA, "kind": kind}, Edition.V2013)),)


def _standard(shape: Shape, args: Mapping[str, Any], points: list[tuple[float, float]]) -> dict[str, Any]:
    (latitude, longitude), *_ = points
    sides = (_SOUTH if latitude < 0 else 0) | (_WEST if longitude < 0 else 0)
    attributes = _CROSSINGS[Crossing(args.get("crossing", Crossing.BOTH))] | sides
    common = {"id": args["fence"], "name": args.get("name", "")}
    if "begins" in args:
        attributes |= _TIMED
        common |= {"start": f"{args['begins']}:00", "end": f"{args['ends']}:00"}
    if shape is Shape.ROUTE:
        turns = [_turn(number, args, point) for number, point in enumerate(points, start=1)]
        return common | {"attributes": attributes & ~(_SOUTH | _WEST), "turns": turns}
    common |= {"attributes": attributes | (_SPEED if "overspeed_kmh" in args else 0), **_speeds(args)}
    if shape is Shape.POLYGON:
        return common | {"points": [_point(point) for point in points]}
    area = common | (_point(points[0]) if shape is Shape.CIRCLE else _corners(points))
    return {"action": APPEND, "areas": [area | {"radius_m": args.get("radius_m", 0)}]}


def _corners(points: list[tuple[float, float]]) -> dict[str, float]:
    latitudes, longitudes = zip(*points, strict=True)
    return {
        "north_latitude": abs(max(latitudes)),
        "west_longitude": abs(min(longitudes)),
        "south_latitude": abs(min(latitudes)),
        "east_longitude": abs(max(longitudes)),
    }


def _turn(number: int, args: Mapping[str, Any], point: tuple[float, float]) -> dict[str, Any]:
    attributes = (_TURN_SOUTH if point[0] < 0 else 0) | (_TURN_WEST if point[1] < 0 else 0)
    attributes |= _SPEED if "overspeed_kmh" in args else 0
    place = {"id": number, "segment": number, "width_m": args["width_m"], "attributes": attributes}
    return place | _point(point) | _speeds(args)


def _speeds(args: Mapping[str, Any]) -> dict[str, int]:
    bound = args.get("overspeed_kmh")
    if bound is None:
        return {}
    return {"max_speed_kmh": bound, "overspeed_s": OVERSPEED_S, "night_max_speed_kmh": bound}


def _point(point: tuple[float, float]) -> dict[str, float]:
    return {"latitude": abs(point[0]), "longitude": abs(point[1])}
