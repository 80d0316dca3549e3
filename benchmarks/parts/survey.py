"""A city of cabinets in rows over Jinan's box: its inventory as files for the import, its gateways as they announce."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import aiomqtt

from benchmarks.parts.city_plans import LATITUDES, LONGITUDES
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire import topics
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, GatewayState, encode

LAMPS: Final = 93  # behind one cabinet; Jinan has 128,000 behind 1,389
RATED_W: Final = 150
CAPABILITIES: Final = ("light.set", "light.resume")
_PER_ROW: Final = 40
_BESIDE_DEG: Final = 0.0003  # from lamp to lamp
_TIMEOUT_S: Final = 60.0
_CLASSES: Final = tuple(RoadClass)


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands: so many cabinets with a gateway each."""

    cabinets: int

    @property
    def lamps(self) -> int:
        """All of them."""
        return self.cabinets * LAMPS

    @property
    def gateways(self) -> list[str]:
        """Their names."""
        return [f"gw-{number:04}" for number in range(self.cabinets)]

    def names(self, number: int) -> list[str]:
        """The lamps of one cabinet."""
        return [f"lamp-{number:04}-{place:03}" for place in range(LAMPS)]

    def files(self) -> Iterator[tuple[str, str]]:
        """CSV by kind of thing, in the order in which they refer to each other."""
        numbers = range(self.cabinets)
        yield "luminaire-models", f"id,rated_w,source\nled-{RATED_W},{RATED_W},led\n"
        yield "roads", "id,road_class\n" + "".join(f"road-{n:04},{_CLASSES[n % len(_CLASSES)]}\n" for n in numbers)
        yield "cabinets", "id,account\n" + "".join(f"cabinet-{n:04},account-{n // 10}\n" for n in numbers)
        luminaires = (
            f"{name},{latitude:.5f},{longitude:.5f},{name},road-{number:04},cabinet-{number:04},led-{RATED_W}\n"
            for number in numbers
            for name, latitude, longitude in self._placed(number)
        )
        yield "luminaires", "id,latitude,longitude,device,road,cabinet,model\n" + "".join(luminaires)

    def devices(self, number: int) -> bytes:
        """What one gateway says that it serves."""
        return encode(
            DevicesDocument(
                tuple(
                    DeviceEntry(name, Kind.LAMP, "lamp-single", f"bus-1/{place}", CAPABILITIES)
                    for place, name in enumerate(self.names(number), start=1)
                )
            )
        )

    def _placed(self, number: int) -> Iterator[tuple[str, float, float]]:
        rows = max(self.cabinets // _PER_ROW, 1)
        latitude = LATITUDES[0] + (LATITUDES[1] - LATITUDES[0]) * (number // _PER_ROW % rows) / rows
        longitude = LONGITUDES[0] + (LONGITUDES[1] - LONGITUDES[0]) * (number % _PER_ROW) / _PER_ROW
        for place, name in enumerate(self.names(number)):
            yield name, latitude, longitude + place * _BESIDE_DEG


def announce(port: int, survey: Survey) -> None:
    """Births and device lists of all gateways, retained at the broker."""
    asyncio.run(_announce(port, survey))


async def _announce(port: int, survey: Survey) -> None:
    birth = encode(GatewayState("boot-1", online=True, version="benchmark"))
    async with aiomqtt.Client("127.0.0.1", port, identifier="survey") as client:
        for number, name in enumerate(survey.gateways):
            await client.publish(topics.up(name, topics.Up.STATE), birth, qos=1, retain=True, timeout=_TIMEOUT_S)
            listed = survey.devices(number)
            await client.publish(topics.up(name, topics.Up.DEVICES), listed, qos=1, retain=True, timeout=_TIMEOUT_S)
