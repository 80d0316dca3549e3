"""Who may use the page: one code per gateway, few tries, sessions that end. Pure; times in monotonic seconds."""

import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SESSION_S: Final = 8 * 3600.0  # one shift
TRIES: Final = 5
TRIES_S: Final = 300.0
TRIES_OF_ALL: Final = 30
TRIES_OF_ALL_S: Final = 3600.0
MOST_SESSIONS: Final = 50
MOST_PEERS: Final = 200


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who gave the code; `token` is in the browser's cookie, `form` in every form."""

    name: str
    token: str
    form: str
    until_s: float


@dataclass(slots=True)
class Access:
    """The code and who has used it. `random` gives an unguessable text."""

    code: str
    random: Callable[[], str]
    _sessions: dict[str, Session] = field(default_factory=dict)
    _failed: dict[str, deque[float]] = field(default_factory=dict)
    _failed_all: deque[float] = field(default_factory=deque)

    def enter(self, peer: str, name: str, code: str, now_s: float) -> Session | None:
        """A session for the right code; None for a wrong one, or while this peer or all together tried too often."""
        if self.barred(peer, now_s):
            return None
        if not name or not hmac.compare_digest(code.strip().encode(), self.code.encode()):
            self._note(peer, now_s)
            return None
        self._failed.pop(peer, None)
        session = Session(name, self.random(), self.random(), now_s + SESSION_S)
        self._sessions[session.token] = session
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return session

    def barred(self, peer: str, now_s: float) -> bool:
        """True while no code is looked at, be it right or wrong."""
        own = self._failed.get(peer, deque())
        _forget(own, now_s - TRIES_S)
        _forget(self._failed_all, now_s - TRIES_OF_ALL_S)
        return len(own) >= TRIES or len(self._failed_all) >= TRIES_OF_ALL

    def session(self, token: str, now_s: float) -> Session | None:
        """The session of a cookie, while it lasts."""
        found = self._sessions.get(token)
        if found is not None and found.until_s <= now_s:
            del self._sessions[token]
            return None
        return found

    def leave(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(token, None)

    def _note(self, peer: str, now_s: float) -> None:
        self._failed.setdefault(peer, deque()).append(now_s)
        self._failed_all.append(now_s)
        while len(self._failed) > MOST_PEERS:
            del self._failed[next(iter(self._failed))]


def _forget(times: deque[float], before_s: float) -> None:
    while times and times[0] <= before_s:
        times.popleft()
