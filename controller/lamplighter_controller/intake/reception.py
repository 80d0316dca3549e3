"""Where messages arrive: each is understood or refused here, and nothing in here waits."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_contract.wire import documents
from lamplighter_contract.wire.bounded import inflate
from lamplighter_contract.wire.documents import DeviceEntry, DevicesDocument, GatewayState, Health
from lamplighter_contract.wire.frame import (
    EventsFrame,
    Frame,
    PiecesFrame,
    ReadingsFrame,
    decode_envelope,
    decode_frame,
)
from lamplighter_contract.wire.limits import MAX_FRAME_BYTES, MAX_TEXT
from lamplighter_contract.wire.topics import Up, parse_up
from lamplighter_controller.events import DevicesChanged, Events
from lamplighter_controller.intake.acks import Sender
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.claims import Claims
from lamplighter_controller.intake.gateways import Gateways
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.intake.pieces import Brought, PiecesLane
from lamplighter_controller.intake.placing import Letter, place
from lamplighter_controller.intake.readings import ReadingsLane, Waiting
from lamplighter_controller.intake.records import Record, RecordsLane
from lamplighter_controller.intake.waiting import WaitingRoom
from lamplighter_controller.link.port import Message
from lamplighter_controller.twin import store as twin_store
from lamplighter_controller.twin.columns import Twin

log = logging.getLogger(__name__)

QUIET_S: Final = 600.0
FULL_QUIET_S: Final = 60.0
MOST_STRANGERS: Final = 0.5  # of a frame's rows; beyond it, somebody speaks for devices that are not his


class Reception:
    """Sorts messages into lanes. What is turned away is not acknowledged, so the gateway sends it again."""

    def __init__(
        self,
        clock: Clock,
        twin: Twin,
        gateways: Gateways,
        events: Events,
        alarms: Alarms,
        journal: Journal,
        readings: ReadingsLane,
        urgent: RecordsLane,
        letters: RecordsLane,
        pieces: PiecesLane,
        *,
        future_ms: int,
    ) -> None:
        """Take readings at most `future_ms` civil ms ahead of our own clock."""
        self._clock, self._twin, self._gateways, self._events = clock, twin, gateways, events
        self._alarms, self._journal, self._future_ms = alarms, journal, future_ms
        self._readings, self._urgent, self._letters = readings, urgent, letters
        self._pieces = pieces
        self._room: dict[Up, WaitingRoom[Waiting]] = {Up.LIVE: readings.live, Up.BACKLOG: readings.backlog}
        self._claims = Claims(twin, gateways, alarms)
        self.counts: Counter[str] = Counter()

    def receive(self, message: Message) -> None:
        """Take one message in."""
        parsed = parse_up(message.topic)
        if parsed is None or not is_id(parsed[0]):
            self.counts["foreign"] += 1
            return
        gateway, channel = parsed
        if gateway not in self._gateways.enrolled:
            self.counts["stranger"] += 1
            self._gateways.stranger(gateway)
        elif channel in {Up.LIVE, Up.BACKLOG, Up.URGENT}:
            self._frame(gateway, channel, message.payload)
        elif message.payload:
            self._document(gateway, channel, message)

    def tick(self) -> None:
        """Look again at devices that were refused to a gateway: who had them may have gone."""
        for gateway, listed in self._claims.due():
            self._adopt(gateway, listed)

    def _document(self, gateway: str, channel: Up, message: Message) -> None:
        document = documents.decode(message.payload, _DOCUMENT[channel])
        if isinstance(document, Refusal):
            self._refuse(gateway, channel, document)
        elif isinstance(document, GatewayState):
            self._gateways.state(gateway, document, retained=message.retained)
        elif isinstance(document, Health):
            self._gateways.health(gateway, document)
        elif isinstance(document, DevicesDocument):
            self._gateways.heard(gateway, None)
            self._gateways.declares(gateway, document.buses)
            self._adopt(gateway, document.devices)
            self._claims.revisit(gateway)

    def _adopt(self, gateway: str, listed: Sequence[DeviceEntry]) -> None:
        """Adopt at once, so that the frames behind this message find their devices; the ledger follows."""
        entries, now_ms = self._claims.granted(gateway, listed), self._clock.wall_ms()
        taken = self._twin.adopt(gateway, entries)
        self._journal.put(
            f"devices:{gateway}", lambda connection: twin_store.adopt(connection, gateway, entries, now_ms)
        )
        if taken:
            text = f"{gateway} took over {taken[0]} (and {len(taken) - 1} more) of a gateway that is not there"
            self._alarms.raised(f"devices-claimed:{gateway}", text, quiet_s=QUIET_S)
        self._events.publish(DevicesChanged(gateway))

    def _frame(self, gateway: str, channel: Up, payload: bytes) -> None:
        if self._room.get(channel, self._urgent.room).full:
            self.counts["turned-away"] += 1
            text = f"frames come faster than they are stored; gateways keep those of the {channel} lane and send again"
            self._alarms.raised(f"intake-full:{channel}", text, quiet_s=FULL_QUIET_S)
            return
        frame = decode_frame(payload)
        if isinstance(frame, Refusal):
            self._refused_frame(gateway, channel, payload, frame)
            return
        self._gateways.heard(gateway, frame.envelope.boot)
        self.counts["frames"] += 1
        if isinstance(frame, ReadingsFrame):
            self._place(gateway, channel, frame)
        else:
            self._record(gateway, frame)

    def _place(self, gateway: str, channel: Up, frame: ReadingsFrame) -> None:
        rows = self._twin.rows(gateway, frame.kind, frame.device)
        served = rows >= 0
        latest_ms = self._clock.civil_ms() + self._future_ms
        placed = place(gateway, frame, served, latest_ms=latest_ms, now_ms=self._clock.wall_ms())
        if placed.strangers > MOST_STRANGERS * len(frame.device):
            self.counts["strange-devices"] += 1
            text = f"{gateway} reports mostly devices it does not serve, such as {frame.device[int(served.argmin())]}"
            self._alarms.raised(f"gateway-devices:{gateway}", text, quiet_s=QUIET_S)
            return
        envelope = frame.envelope
        sender = Sender(gateway, envelope.boot, envelope.seq)
        room = self._room.get(channel, self._readings.live)
        known = rows if len(placed.readings.device) == len(rows) else None
        room.put(Waiting(sender, placed.readings, placed.letters, channel is not Up.BACKLOG, known, self._twin.reused))

    def _record(self, gateway: str, frame: Frame) -> None:
        now_ms = self._clock.wall_ms()
        letters = tuple(Letter(gateway, part.reason, part.detail, part.body, now_ms) for part in frame.refused)
        sender = Sender(gateway, frame.envelope.boot, frame.envelope.seq)
        if isinstance(frame, EventsFrame):
            self._urgent.room.put(Record(sender, events=frame.events, letters=letters))
        elif isinstance(frame, PiecesFrame):
            self._piece(sender, frame, letters)
        elif not isinstance(frame, ReadingsFrame):
            self._urgent.room.put(Record(sender, results=frame.results, letters=letters))

    def _piece(self, sender: Sender, frame: PiecesFrame, letters: tuple[Letter, ...]) -> None:
        """Files of devices that another gateway serves are nobody's; the rest is for whoever keeps files."""
        strange = [p for p in frame.pieces if self._twin.gateway_of(p.device) not in (None, sender.gateway)]
        self.counts["strange-pieces"] += len(strange)
        mine = tuple(piece for piece in frame.pieces if piece not in strange)
        if letters or not mine:
            self._letters.room.put(Record(None if mine else sender, letters=letters))
        if mine:
            self._pieces.room.put(Brought(sender, mine))

    def _refused_frame(self, gateway: str, channel: Up, payload: bytes, refusal: Refusal) -> None:
        """Keep what cannot be read as a letter and acknowledge it: sent again, it would be no better."""
        self.counts[f"refused-{refusal.reason}"] += 1
        envelope = decode_envelope(payload)
        first = self._refuse(gateway, channel, refusal)
        plain = inflate(payload, MAX_FRAME_BYTES)
        body = payload if isinstance(plain, Refusal) else plain
        letter = Letter(gateway, refusal.reason, refusal.detail[:MAX_TEXT], body, self._clock.wall_ms())
        if not isinstance(envelope, Refusal):
            self._letters.room.put(Record(Sender(gateway, envelope.boot, envelope.seq), letters=(letter,)))
        elif first and refusal.reason is not Reason.TOO_LARGE:
            self._letters.room.put(Record(None, letters=(letter,)))

    def _refuse(self, gateway: str, channel: Up, refusal: Refusal) -> bool:
        """Raise the alarm; True when it was not active already."""
        key = f"refused:{gateway}:{channel}:{refusal.reason}"
        first = not self._alarms.is_raised(key)
        self._alarms.raised(key, f"{channel} of {gateway} is refused: {refusal.detail[:MAX_TEXT]}", quiet_s=QUIET_S)
        return first


_DOCUMENT: Final[dict[Up, Any]] = {Up.STATE: GatewayState, Up.HEALTH: Health, Up.DEVICES: DevicesDocument}
