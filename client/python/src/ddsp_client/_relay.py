"""A session that moves from server to server: when to call whom. Threads and event loops drive it alike.

    seeking --a pause is over--> calling --started--> playing --summary, or an error that stays--> over
       ^                            |                    |
       +------ no answer, error ----+---- dead, leaves --+            (giving up: over)

It knows no transport, no thread and no clock: its driver asks for the next step, carries it out and tells what came of
it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from ddsp_client import _proto as pb
from ddsp_client._resumable_core import ResumableCore
from ddsp_client._rotation import Liveness, ServerRotation, another_may_go_on
from ddsp_client.errors import CancelledError, DdspError, DeadlineExceededError, UnavailableError
from ddsp_client.messages import AudioBlock, Features, Resume, Resumption, Summary


@dataclass(frozen=True)
class Call:
    """Call a server; what comes of it is told with this number."""

    link: int
    address: str
    first: pb.StreamSessionRequest


@dataclass(frozen=True)
class Seek:
    """Leave the present link, if there is one, and say with `Relay.move` which addresses there are now."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do for so many seconds, unless something comes."""

    seconds: float


@dataclass(frozen=True)
class Over:
    """The session has ended."""


Step = Call | Seek | Wait | Over


class _State(enum.Enum):
    SEEKING = enum.auto()
    CALLING = enum.auto()
    PLAYING = enum.auto()
    OVER = enum.auto()


class Relay:
    """Not safe for threads: its driver locks."""

    def __init__(self, core: ResumableCore, resume: Resume, addresses: Sequence[str], now: float) -> None:
        self._core = core
        self._resume = resume
        self._rotation = ServerRotation(addresses, resume.give_up_after)
        self._state = _State.SEEKING
        self._call_at = now
        self._opening_ends = now + core.options.open_timeout
        self._ends = None if core.options.timeout is None else now + core.options.timeout
        self._answer_due = 0.0
        self._playing_since = 0.0
        self._liveness = Liveness(resume.ping_interval, resume.dead_after, now)
        self._loss: DdspError | None = None  # the link is to be left, and why
        self._lost_at = 0.0
        self._progress = False
        self._cause: DdspError | None = None  # of the move that is under way
        self._from = ""
        self._detection = 0.0
        self._moving_since = 0.0
        self.link = 0  # of the present call; what another one brings is late
        self.moves: list[Resumption] = []

    def step(self, now: float) -> Step:
        """What to do now."""
        self._look(now)
        if self._ends is not None and now >= self._ends:
            self._end(DeadlineExceededError("the session's time is up"))
        if self._core.broken is not None:
            self._end(self._core.broken)
        if self._state is _State.OVER:
            return Over()
        if self._loss is not None:
            return Seek()
        if self._state is _State.SEEKING and now >= self._call_at:
            return self._call(now)
        due = {_State.SEEKING: self._call_at, _State.CALLING: self._answer_due}.get(
            self._state, self._liveness.next_look
        )
        return Wait(max(0.0, min(due, self._ends or due) - now))

    def move(self, addresses: Sequence[str], now: float) -> None:
        """The link was left: on to one of these."""
        loss, self._loss = self._loss, None
        assert loss is not None
        played = self._state is _State.PLAYING
        opening = self._core.started is None
        self.link += 1
        if (played or opening) and not another_may_go_on(loss):
            return self._end(loss)
        if played:
            # A server that plays for a while, or brings something new, ends a series of failures.
            if self._progress or now - self._playing_since >= self._resume.dead_after:
                self._rotation.reset()
            if self._cause is None:
                self._cause, self._from = loss, self._rotation.current
                self._detection = self._lost_at - self._liveness.last_heard
                self._moving_since = self._lost_at
        pause = self._rotation.next(loss, addresses, now)
        # Whoever opens a session wants to know soon that nobody is there.
        if pause is None or (opening and (pause > 0 or now >= self._opening_ends)):
            return self._end(loss)
        self._state = _State.SEEKING
        self._call_at = now + pause
        return None

    def received(self, link: int, response: pb.StreamSessionResponse, now: float) -> Resumption | None:
        """A message came; gives the move that it completes."""
        if link != self.link or self._loss is not None or self._state is _State.OVER:
            return None
        self._liveness.heard(now)
        unread = len(self._core.unread)
        try:
            self._core.take(response)
        except DdspError as broken:
            self._lose(broken, now)
            return None
        if self._state is _State.CALLING:
            self._state, self._playing_since = _State.PLAYING, now
        fresh = list(self._core.unread)[unread:]
        brings_output = any(isinstance(message, AudioBlock | Features | Summary) for message in fresh)
        self._progress |= brings_output
        if self._core.left:
            # It is no loss of the user's: what comes after this would come again.
            self._lose(UnavailableError("the server is going"), now)
        return self._complete_move(now) if brings_output and self._cause is not None else None

    def ended(self, link: int, error: DdspError | None, now: float) -> None:
        """The call is over."""
        if link == self.link and self._loss is None and self._state is not _State.OVER:
            self._lose(error or UnavailableError("the server ended the session before its summary"), now)

    def cancel(self) -> None:
        """This side has had enough."""
        self._end(CancelledError("this side cancelled the session"))

    def _call(self, now: float) -> Call:
        self._state = _State.CALLING
        self._progress = False
        self._answer_due = now + self._resume.attempt_timeout
        if self._core.started is None:
            self._answer_due = min(self._answer_due, self._opening_ends)
        self._liveness = Liveness(self._resume.ping_interval, self._resume.dead_after, now)
        return Call(self.link, self._rotation.current, self._core.begin())

    def _look(self, now: float) -> None:
        if self._loss is not None:
            return
        server = self._rotation.current
        if self._state is _State.CALLING and now >= self._answer_due:
            self._lose(DeadlineExceededError(f"{server} did not start a session in time"), now)
        if self._state is not _State.PLAYING:
            return
        verdict = self._liveness.look(now)
        if verdict == "ask":
            self._core.ping()
        elif verdict == "dead":
            silence = now - self._liveness.last_heard
            self._lose(UnavailableError(f"{server} has said nothing for {silence:.1f} s"), now)

    def _lose(self, error: DdspError, now: float) -> None:
        if self._core.summary is not None:
            return self._end(None)  # all has come, whatever becomes of the call
        self._loss, self._lost_at = error, now
        return None

    def _complete_move(self, now: float) -> Resumption:
        assert self._cause is not None
        move = Resumption(
            cause=self._cause,
            from_server=self._from,
            to_server=self._rotation.current,
            detection=self._detection,
            reconnection=self._playing_since - self._moving_since,
            replay=now - self._playing_since,
            replayed_input=self._core.replayed_input,
            repeated_output=self._core.repeated_output,
            from_snapshot=self._core.from_snapshot,
        )
        self._cause = None
        self.moves.append(move)
        return move

    def _end(self, error: DdspError | None) -> None:
        if self._state is not _State.OVER:
            self._state = _State.OVER
            self._core.end(error)
