"""What was found on a bus against what is configured. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.scan.signatures import Contradiction, Image, contradictions
from lamplighter_gateway.config.model import Device


@dataclass(frozen=True, slots=True)
class Found:
    """One unit that said something; `profile`: what it was recognised as. `double`: two seem to share the number."""

    unit: int
    profile: str = ""
    double: bool = False
    image: Image | None = None


class Conflict(StrEnum):
    """How bus and configuration differ."""

    MISSING = "missing"
    STRANGER = "stranger"
    DOUBLE = "double"
    OTHER_DEVICE = "other-device"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; `devices` are the configured ones of that unit."""

    conflict: Conflict
    unit: int
    devices: tuple[str, ...] = ()
    profile: str = ""
    contradictions: tuple[Contradiction, ...] = ()

    def text(self, language: Language) -> str:
        """One line for a person."""
        names = ", ".join(self.devices)
        return _WORDS[language][self.conflict].format(unit=self.unit, devices=names, profile=self.profile or "?")

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "conflict": self.conflict.value,
            "unit": self.unit,
            "devices": list(self.devices),
            "profile": self.profile,
            "register_map": [one.as_json() for one in self.contradictions],
        }


_WORDS: Final[Mapping[Language, Mapping[Conflict, str]]] = {
    Language.EN: {
        Conflict.MISSING: "unit {unit} ({devices}) is configured and does not answer",
        Conflict.STRANGER: "unit {unit} answers (looks like {profile}) and is not configured",
        Conflict.DOUBLE: "unit {unit} ({devices}) is garbled whenever asked: two devices seem to share the number",
        Conflict.OTHER_DEVICE: "unit {unit} ({devices}) is not what its profile says; it looks like {profile}",
    },
    Language.ZH: {
        Conflict.MISSING: "从站 {unit}（{devices}）已配置，但没有应答",
        Conflict.STRANGER: "从站 {unit} 有应答（像是 {profile}），但未配置",
        Conflict.DOUBLE: "从站 {unit}（{devices}）每次应答都是乱码：可能有两台设备用同一站号",
        Conflict.OTHER_DEVICE: "从站 {unit}（{devices}）与其模板不符；像是 {profile}",
    },
}


def differences(found: Sequence[Found], devices: Sequence[Device], asked: range) -> Iterator[Difference]:
    """Every difference, by unit; units outside `asked` are not judged."""
    configured: dict[int, list[Device]] = {}
    for device in devices:
        configured.setdefault(device.unit, []).append(device)
    heard = {one.unit: one for one in found}
    for unit in sorted({*configured, *heard}):
        names = tuple(device.id for device in configured.get(unit, ()))
        one = heard.get(unit)
        if one is None:
            if unit in asked:
                yield Difference(Conflict.MISSING, unit, names)
        elif one.double:
            yield Difference(Conflict.DOUBLE, unit, names)
        elif not names:
            yield Difference(Conflict.STRANGER, unit, (), one.profile)
        else:
            wrong = tuple(_wrong(one, configured[unit]))
            if wrong:
                yield Difference(Conflict.OTHER_DEVICE, unit, names, one.profile, wrong)


def _wrong(found: Found, devices: Sequence[Device]) -> Iterator[Contradiction]:
    for device in devices:
        yield from contradictions(device.profile, found.image or {}, device.offset, device.unit)
