"""The diagnoser of the running city: one for the topology as it is now, fed step by step beside the event loop."""

import asyncio
import logging
from collections.abc import Sequence

import numpy as np

from lamplighter_controller.checkpoints import Checkpoint, Checkpoints
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.diagnoser import Diagnoser
from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.live.city import Supply
from lamplighter_controller.diagnosis.samples import Flags, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.topology import Topology

log = logging.getLogger(__name__)


class Judge:
    """Never used by two at once: its steps run in a thread, one after the other."""

    def __init__(self, checkpoints: Checkpoints, settings: Settings) -> None:
        """Begin with a city of nothing."""
        self._checkpoints, self._settings = checkpoints, settings
        self._supply = Supply()
        self._diagnoser = Diagnoser(assemble(Places()), {}, settings)
        self._judged_ms = 0
        self._closed: list[Element] = []

    @property
    def silent(self) -> Flags:
        """(n,) lamps that missed their last report, as far as was judged."""
        return self._diagnoser.silent

    @property
    def topology(self) -> Topology:
        """The tree as it is judged by now."""
        return self._diagnoser.topology

    @property
    def supply(self) -> Supply:
        """What the tree was made of."""
        return self._supply

    async def begin(self, supply: Supply) -> int | None:
        """Take up a city with what was learned of it; until when it has been judged (civil ms), None = never."""
        kept = await asyncio.to_thread(self._checkpoints.read)
        await asyncio.to_thread(self._rebuild, supply, kept)
        self._judged_ms = kept.time_ms if kept else 0
        return kept.time_ms if kept else None

    async def moved(self, supply: Supply) -> bool:
        """Take a city as it has become, keeping what was learned; False when nothing has moved."""
        if supply == self._supply:
            return False
        kept = Checkpoint(self._judged_ms, self._diagnoser.export())
        await asyncio.to_thread(self._rebuild, supply, kept)
        log.info(
            "diagnosis follows %d lamps of %d supply points", len(self.topology.lamps), len(self.topology.cabinets)
        )
        return True

    async def step(self, samples: Samples, now_ms: int) -> tuple[Finding, ...]:
        """Findings of one step."""
        closed, self._closed = self._closed, []
        for element in closed:
            self._diagnoser.leak_closed(element)
        findings = await asyncio.to_thread(self._diagnoser.step, samples, now_ms)
        self._judged_ms = max(self._judged_ms, now_ms)
        return findings

    def leak_closed(self, element: Element) -> None:
        """From the next step on, what is still wrong there is told anew."""
        self._closed.append(element)

    async def keep(self) -> None:
        """Write the checkpoint; when the disk refuses, the former one stands and more is judged again later."""
        try:
            await asyncio.to_thread(self._keep)
        except OSError as error:
            log.warning("what diagnosis has learned cannot be kept: %s", error)

    def rows(self, elements: Sequence[Element]) -> np.ndarray:
        """Rows of the lamps among these elements."""
        row_of = self.topology.rows_by_name(ElementKind.LAMP.value)
        return np.array([row_of[one.id] for one in elements if one.id in row_of], np.int64)

    def _keep(self) -> None:
        self._checkpoints.write(Checkpoint(self._judged_ms, self._diagnoser.export()))

    def _rebuild(self, supply: Supply, kept: Checkpoint | None) -> None:
        diagnoser = Diagnoser(assemble(supply.places), supply.models, self._settings)
        if kept is not None:
            try:
                diagnoser.restore(kept.state)
            except (KeyError, ValueError, IndexError) as error:  # written by another version of this program
                log.warning("what diagnosis had learned does not fit and is learned anew: %r", error)
                diagnoser = Diagnoser(assemble(supply.places), supply.models, self._settings)
        self._diagnoser, self._supply = diagnoser, supply
