"""Leakage: who may be hurt, what is to be opened, and whether what protects them still works."""

from lamplighter_controller.diagnosis.leakage.watch import Leakage

__all__ = ["Leakage"]
