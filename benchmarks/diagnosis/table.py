"""Scores as Markdown tables for people."""

from collections.abc import Iterator, Mapping
from math import isnan

from benchmarks.diagnosis.scores import Scores
from lamplighter_firmware_sim.campaign.groups import CASES


def class_table(scores: Scores) -> str:
    """One line per class: how many faults, precision, recall, F1, hours to the first right word."""

    def lines() -> Iterator[str]:
        yield "| class | faults | precision | recall | F1 | h from onset | h from first sight |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        for row in map(scores.row, sorted(scores.found)):
            shown = (
                f"{row.precision:.3f}",
                f"{row.recall:.3f}",
                f"{row.f1:.3f}",
                _h(row.from_onset_h),
                _h(row.from_sight_h),
            )
            yield f"| {row.class_id} | {row.faults} | {' | '.join(shown)} |"
        for name in sorted(set(scores.false) - set(scores.found)):
            yield f"| {name} | 0 | told {scores.false[name]} times | - | - | - | - |"

    return "\n".join(lines()) + "\n"


def method_table(total: Mapping[str, Scores]) -> str:
    """One line per method or ablation."""

    def lines() -> Iterator[str]:
        yield (
            "| method | campaigns | macro F1 | noticed | root cause | false per 1,000 lamp-days "
            "| false per 100 cabinet-days | lamp alarms per group | wasted trips | calibration error | drift h |"
        )
        yield "| --- " * 11 + "|"
        for name, scores in total.items():
            shown = (
                f"{scores.campaigns}",
                f"{scores.macro_f1:.3f}",
                f"{scores.noticed:.3f}",
                f"{scores.root_cause(CASES):.3f}",
                f"{scores.false_per_1000_lamp_days:.3f}",
                f"{scores.false_per_100_cabinet_days:.2f}",
                f"{scores.alarms_per_incident:.2f}",
                "-" if isnan(scores.wasted_share) else f"{scores.wasted_share:.3f}",
                f"{scores.calibration_error:.3f}",
                _h(scores.row("driver_drift").from_sight_h),
            )
            yield f"| {name} | {' | '.join(shown)} |"

    return "\n".join(lines()) + "\n"


def _h(hours: float) -> str:
    return "-" if isnan(hours) else f"{hours:.1f}"
