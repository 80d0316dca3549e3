"""An incident as the API shows it: with the words of the catalogue, and null where nothing is known."""

from collections.abc import Mapping
from math import isnan

from pydantic import BaseModel, ConfigDict, Field

from lamplighter_controller.diagnosis.catalogue.faults import Words, catalogue, wording
from lamplighter_controller.diagnosis.findings import Element, EvidenceLine
from lamplighter_controller.diagnosis.incidents.incident import Incident, State
from lamplighter_controller.diagnosis.trials.sequence import is_worth_testing

Text = Mapping[str, str]  # zh, en


class ElementOut(BaseModel):
    """A node of the supply tree."""

    kind: str = Field(examples=["circuit"])
    id: str = Field(examples=["circuit-01-a"])


class LikelyOut(BaseModel):
    """A class and its probability; `name` by language (zh, en)."""

    model_config = ConfigDict(populate_by_name=True)

    class_id: str = Field(alias="class", examples=["feeder_trip"])
    name: Text
    probability: float


class EvidenceOut(BaseModel):
    """One measured reason; null where nothing can be said."""

    name: str
    words: Text
    value: float | None
    expected: float | None
    sigma: float | None
    samples: int
    unit: str


class IsolationOut(BaseModel):
    """Circuits to be opened; never called safe."""

    circuits: list[str]
    state: str = Field(description="proposed, sent, refused, failed, or open when that was read back")
    text: str
    automatic: bool
    request: str | None
    time_ms: int


class TrialOut(BaseModel):
    """An active test; `readings` are pairs of level in percent and watts read back."""

    state: str = Field(description="running, passed, failed or refused")
    time_ms: int
    who: str
    text: str
    readings: list[tuple[float, float]]


class IncidentOut(BaseModel):
    """One incident. Times are civil epoch ms."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    element: ElementOut
    class_id: str = Field(alias="class", examples=["feeder_trip"])
    name: Text
    talq: str | None = Field(description="Event name of TALQ 2.7.1")
    confidence: float
    alternatives: list[LikelyOut]
    state: State
    severity: int = Field(description="1 for information to 5 now")
    onset_ms: int
    first_observable_ms: int
    raised_ms: int
    changed_ms: int
    due_ms: int | None = Field(description="When it has to be mended; null: no clock runs")
    overdue: bool
    trip_ms: int | None = Field(description="Since when it is worth a trip; null: not yet")
    action: Text
    part: Text
    settle: Text | None = Field(description="What would settle the doubt")
    evidence: list[EvidenceOut]
    members: int = Field(description="Elements folded under it")
    testable: bool = Field(description="A sequence of levels would tell more")
    withheld: bool = Field(description="A maintenance window or a running work order covers it")
    returned: int
    acknowledged_by: str | None
    shelved_until_ms: int | None
    order: str | None
    cleared_ms: int | None
    closed_ms: int | None
    closed_by: str | None
    note: str | None
    isolation: IsolationOut | None
    trials: list[TrialOut]


class IncidentDetail(IncidentOut):
    """One incident with all its members."""

    folded: list[ElementOut]


def shown(incident: Incident, civil_ms: int) -> IncidentOut:
    """One incident of a list."""
    return IncidentOut.model_validate(_fields(incident, civil_ms))


def detailed(incident: Incident, civil_ms: int) -> IncidentDetail:
    """One incident with the elements folded under it."""
    folded = [_element(member) for member in incident.members]
    return IncidentDetail.model_validate({**_fields(incident, civil_ms), "folded": folded})


def _fields(incident: Incident, civil_ms: int) -> dict[str, object]:
    fault = catalogue().get(incident.class_id)
    isolation, settle = incident.isolation, wording().settle.get(incident.settle)
    overdue = bool(incident.due_ms) and incident.is_open and incident.due_ms < civil_ms
    return {
        "id": incident.id,
        "element": _element(incident.element),
        "class": incident.class_id,
        "name": _name(incident.class_id),
        "talq": fault.talq or None if fault else None,
        "confidence": incident.confidence,
        "alternatives": [
            {"class": name, "name": _name(name), "probability": share} for name, share in incident.alternatives
        ],
        **{name: getattr(incident, name) for name in _SAME},
        **{name: getattr(incident, name) or None for name in _OR_NONE},
        "overdue": overdue,
        "action": _words(fault.action if fault else None),
        "part": _words(fault.part if fault else None),
        "settle": _words(settle) if settle else None,
        "evidence": [_evidence(line) for line in incident.evidence],
        "members": len(incident.members),
        "testable": is_worth_testing(incident),
        "isolation": isolation
        and IsolationOut(
            circuits=list(isolation.circuits),
            state=isolation.state,
            text=isolation.text,
            automatic=isolation.automatic,
            request=isolation.request or None,
            time_ms=isolation.time_ms,
        ),
        "trials": [
            TrialOut(state=one.state, time_ms=one.time_ms, who=one.who, text=one.text, readings=list(one.readings))
            for one in incident.trials
        ],
    }


_SAME = (
    "state",
    "severity",
    "onset_ms",
    "first_observable_ms",
    "raised_ms",
    "changed_ms",
    "withheld",
    "returned",
)
_OR_NONE = (
    "due_ms",
    "trip_ms",
    "acknowledged_by",
    "shelved_until_ms",
    "order",
    "cleared_ms",
    "closed_ms",
    "closed_by",
    "note",
)


def _element(element: Element) -> ElementOut:
    return ElementOut(kind=element.kind.value, id=element.id)


def _evidence(line: EvidenceLine) -> EvidenceOut:
    words = wording().evidence.get(line.name)
    return EvidenceOut(
        name=line.name,
        words=_words(words) if words else {"zh": line.name, "en": line.name},
        value=_number(line.value),
        expected=_number(line.expected),
        sigma=_number(line.sigma),
        samples=line.samples,
        unit=line.unit,
    )


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def _name(class_id: str) -> Text:
    fault = catalogue().get(class_id)
    return _words(fault.name) if fault else {"zh": class_id, "en": class_id}


def _words(words: Words | None) -> Text:
    return {"zh": words.zh, "en": words.en} if words else {}
