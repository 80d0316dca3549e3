"""An incident as one JSON line: class over alternatives, element, since when, evidence, action, part, urgency."""

import json
from datetime import UTC, datetime
from math import isnan
from typing import Any

from lamplighter_controller.diagnosis.catalogue.faults import catalogue, wording
from lamplighter_controller.diagnosis.findings import Element, EvidenceLine
from lamplighter_controller.diagnosis.incidents.incident import Incident


def line(incident: Incident) -> str:
    """The incident as compact JSON; times in UTC, what is unknown null."""
    return json.dumps(document(incident), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def document(incident: Incident) -> dict[str, Any]:
    """The incident as plain values."""
    fault = catalogue().get(incident.class_id)
    settle = wording().settle.get(incident.settle)
    return {
        "id": incident.id,
        "state": incident.state.value,
        "class": incident.class_id,
        "confidence": round(incident.confidence, 4),
        "alternatives": [{"class": name, "probability": round(share, 4)} for name, share in incident.alternatives],
        "element": _element(incident.element),
        "onset": _time(incident.onset_ms),
        "first_observable": _time(incident.first_observable_ms),
        "raised": _time(incident.raised_ms),
        "cleared": _time(incident.cleared_ms),
        "severity": incident.severity,
        "due": _time(incident.due_ms),
        "trip_since": _time(incident.trip_ms),
        "evidence": [_evidence(one) for one in incident.evidence],
        "settle": {"en": settle.en, "zh": settle.zh} if settle else None,
        "action": {"en": fault.action.en, "zh": fault.action.zh} if fault else None,
        "part": {"en": fault.part.en, "zh": fault.part.zh} if fault else None,
        "talq_event": fault.talq or None if fault else None,
        "members": [_element(one) for one in incident.members],
    }


def _element(element: Element) -> dict[str, str]:
    return {"kind": element.kind.value, "id": element.id}


def _evidence(one: EvidenceLine) -> dict[str, Any]:
    return {
        "name": one.name,
        "value": _number(one.value),
        "expected": _number(one.expected),
        "sigma": _number(one.sigma),
        "samples": int(one.samples),
        "unit": one.unit,
    }


def _number(value: float) -> float | None:
    return None if isnan(value) else float(f"{value:.6g}")


def _time(time_ms: int) -> str | None:
    if not time_ms:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
