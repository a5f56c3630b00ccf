"""All rooms, behind one lock: each act of a teacher or a pupil is one short step under it.

Nothing is kept anywhere else: a room that is closed, left alone or too old is gone with all that was in it.
No model runs under the lock: its effects are measured by a thread of their own and handed in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from dashboard.classroom.codes import LONGEST_TOKEN, network_of, new_code, new_token
from dashboard.classroom.room import Asked, Lead, Pulse, Pupil, Room, Seat, clean
from dashboard.classroom.tries import Tries
from probes.errors import CruxError, InputError, LimitError
from probes.record.results import ProbeResult

HOUR = 3600.0


@dataclass(frozen=True)
class Bounds:
    """What rooms may hold, and for how long, in seconds."""

    rooms: int = 64
    pupils: int = 120
    """Of one room."""
    picks: int = 40
    """Words of one prediction."""
    idle: float = 3 * HOUR
    """Without an act of anybody in it."""
    empty: float = HOUR / 2
    """The same of a room that nobody joined."""
    longest: float = 12 * HOUR
    tries: int = 60
    """Wrong codes in a row from one network; after that one a second."""


class Rooms:
    """See the module's docstring. Threads of all visitors call it.

    What is called with a token that leads no room, or is no pupil's, or with the number of a passage that is
    no longer asked, does nothing: a page may be a moment behind.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, bounds: Bounds | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds = bounds or Bounds()
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, Room] = {}
        self._leads: dict[str, str] = {}
        self._tries = Tries(self.bounds.tries, 1.0, clock)
        self._tidying = False

    # ---- the teacher's

    def open(self, asked: Asked) -> str:
        """A new room, and the token that leads it.

        Raises:
            LimitError: there are as many rooms as may be, and pupils in each.
        """
        with self._lock:
            self._tidy()
            if len(self._rooms) >= self.bounds.rooms:
                self._make_place()
            code, token, now = new_code(), new_token(), self._clock()
            while code in self._rooms:
                code = new_code()
            self._rooms[code] = Room(code, token, asked, now, now)
            self._leads[token] = code
            if not self._tidying:
                self._tidying = True
                threading.Thread(target=self._keep_tidy, name="rooms", daemon=True).start()
            return token

    def lead(self, token: object) -> Lead | None:
        """The room that the token leads."""
        with self._lock:
            room = self._led(token)
            return room.lead() if room else None

    def ask(self, token: object, asked: Asked) -> None:
        """The next passage in the same room."""
        with self._lock:
            if room := self._act(self._led(token)):
                room.ask(asked)

    def reveal(self, token: object) -> None:
        """Show everybody; once the model's effects are known, or known not to be had."""
        with self._lock:
            if room := self._act(self._led(token)):
                room.reveal()

    def close(self, token: object) -> None:
        """The room is gone, with all that was pressed in it."""
        with self._lock:
            if room := self._led(token):
                self._drop(room)

    # ---- a pupil's

    def join(self, code: str, address: str | None = None) -> str:
        """A new pupil's token.

        Args:
            address: of the connection, which bounds how fast codes are guessed.

        Raises:
            InputError: there is no such room.
            LimitError: it is full; too many wrong codes came from there.
        """
        network = network_of(address)
        with self._lock:
            if not self._tries.left(network):
                raise LimitError("page_room_tries")
            room = self._room(code)
            if room is None:
                self._tries.spend(network)
                raise InputError("page_room_none", code=code)
            if len(room.pupils) >= self.bounds.pupils:
                raise LimitError("page_room_full", count=len(room.pupils), most=self.bounds.pupils)
            token = new_token()
            room.pupils[token] = Pupil()
            self._act(room)
            return token

    def seat(self, code: str, token: object) -> Seat | None:
        """What this pupil sees; None where there is no such room, or no such pupil in it."""
        with self._lock:
            room, pupil = self._pupil(code, token)
            return room.seat(pupil) if room and pupil else None

    def press(self, code: str, token: object, number: int, picks: object) -> None:
        """What this pupil has pressed so far, kept for a reload; not counted before it is sent."""
        with self._lock:
            room, pupil = self._pupil(code, token)
            if room and pupil and room.number == number and room.found is None:
                pupil.draft = clean(picks, len(room.asked.words), self.bounds.picks)
                self._act(room)

    def send(self, code: str, token: object, number: int) -> bool:
        """Count what is pressed as this pupil's prediction; False where that is too late, or nothing."""
        with self._lock:
            room, pupil = self._pupil(code, token)
            if not (room and pupil and pupil.draft) or room.number != number or room.found is not None:
                return False
            pupil.sent = pupil.draft
            self._act(room)
            return True

    def pulse(self, code: str, token: object) -> Pulse | None:
        """The room's few numbers, for who is in it or leads it; None where it is gone."""
        with self._lock:
            room, pupil = self._pupil(code, token)
            led = room is not None and self._led(token) is room
            return room.pulse() if room and (pupil or led) else None

    # ---- the model's

    def hear(self, code: str, number: int, done: int, total: int) -> bool:
        """Note how far measuring is; False where nobody waits for it any more."""
        with self._lock:
            room = self._asking(code, number)
            if room:
                room.done, room.total = done, total
            return room is not None

    def measured(self, code: str, number: int, found: ProbeResult | CruxError) -> None:
        """Hand in the model's effects, or why there are none."""
        with self._lock:
            if room := self._asking(code, number):
                if isinstance(found, CruxError):
                    room.fault = found
                else:
                    room.record, room.fault = found, None

    def measure_again(self, token: object) -> None:
        """Forget why they could not be measured."""
        with self._lock:
            room = self._act(self._led(token))
            if room and room.found is None:
                room.measure_again()

    # ---- under the lock

    def _room(self, code: str) -> Room | None:
        room = self._rooms.get(code)
        if room and self._over(room):
            self._drop(room)
            return None
        return room

    def _led(self, token: object) -> Room | None:
        code = self._leads.get(_token(token))
        return self._room(code) if code else None

    def _pupil(self, code: str, token: object) -> tuple[Room | None, Pupil | None]:
        room = self._room(code)
        return room, room.pupils.get(_token(token)) if room else None

    def _asking(self, code: str, number: int) -> Room | None:
        room = self._room(code)
        return room if room and room.number == number and room.found is None else None

    def _act(self, room: Room | None) -> Room | None:
        if room:
            room.acted = self._clock()
        return room

    def _over(self, room: Room) -> bool:
        now, rest = self._clock(), self.bounds.idle if room.pupils else self.bounds.empty
        return now - room.acted > rest or now - room.opened > self.bounds.longest

    def _drop(self, room: Room) -> None:
        del self._rooms[room.code], self._leads[room.lead_token]

    def _make_place(self) -> None:
        """Of rooms that nobody joined, let the one go in which nothing was done for longest.

        Raises:
            LimitError: there is none.
        """
        unused = [room for room in self._rooms.values() if not room.pupils]
        if not unused:
            raise LimitError("page_rooms", count=len(self._rooms), most=self.bounds.rooms)
        self._drop(min(unused, key=lambda room: room.acted))

    def _tidy(self) -> None:
        for room in [room for room in self._rooms.values() if self._over(room)]:
            self._drop(room)

    def _keep_tidy(self) -> None:
        """Rooms go when their time is over, also where nobody comes any more."""
        while True:
            time.sleep(60)
            with self._lock:
                self._tidy()
                if not self._rooms:
                    self._tidying = False
                    return


def _token(sent: object) -> str:
    """ "" where it can be none: nobody has that."""
    return sent if isinstance(sent, str) and len(sent) <= LONGEST_TOKEN else ""


_shared = Rooms()


def rooms() -> Rooms:
    """Those of this page."""
    return _shared
