"""A stream of audio played by a voice while it is still being recorded."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from types import TracebackType

import numpy as np

from ddsp_client.audio import AnySamples, Samples
from ddsp_client.errors import DdspError
from ddsp_client.messages import AudioBlock, Event, Features, Started, Summary
from ddsp_client.session import Session

# Output that may wait for a slow reader before no more input is taken, in seconds.
_MAX_UNREAD_SECONDS = 10


class Transfer(Iterator[Samples]):
    """Iterates over the answer, float32 arrays without gaps, lined up with the input. Made by `Client.transfer`.

    A thread of its own takes blocks from the iterable that was given and sends them. It takes no more while the answer
    is not read. Leaving a `with` block, or `close`, ends the session.
    """

    def __init__(self, session: Session, blocks: Iterable[AnySamples] | AnySamples) -> None:
        self._session = session
        self._failures: list[BaseException] = []  # of the thread that writes
        self.features: list[Features] = []  # where the session was asked for them
        iterator: Iterator[AnySamples] = iter([blocks]) if isinstance(blocks, np.ndarray) else iter(blocks)  # type: ignore[arg-type]
        arguments = (session, iterator, self._failures)
        threading.Thread(target=_write_all, args=arguments, name="ddsp-transfer", daemon=True).start()

    @property
    def started(self) -> Started:
        """What the server agreed to: formats, latency, tail."""
        return self._session.started

    @property
    def summary(self) -> Summary | None:
        """What the server counted; None before the end."""
        return self._session.summary

    @property
    def events(self) -> list[Event]:
        """Everything that happened so far."""
        return self._session.events

    def change_parameters(
        self, sample: int, *, pitch_shift_semitones: float | None = None, loudness_shift_db: float | None = None
    ) -> None:
        """Takes effect exactly at input sample `sample`, which must not lie before audio that was sent."""
        self._session.change_parameters(
            sample, pitch_shift_semitones=pitch_shift_semitones, loudness_shift_db=loudness_shift_db
        )

    def __iter__(self) -> Transfer:
        return self

    def __next__(self) -> Samples:
        while True:
            try:
                message = self._session.read()
            except DdspError:
                if self._failures:
                    raise self._failures[0] from None
                raise
            if message is None:
                raise StopIteration
            if isinstance(message, Features):
                self.features.append(message)
            elif isinstance(message, AudioBlock) and len(message.samples):
                return message.samples

    def close(self) -> None:
        """Ends the session, if it has not ended by itself."""
        self._session.close()

    def __enter__(self) -> Transfer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        if session := getattr(self, "_session", None):
            session.cancel()


def _write_all(session: Session, blocks: Iterator[AnySamples], failures: list[BaseException]) -> None:
    """Runs on a thread that must not keep the transfer alive: whoever drops that ends the session."""
    limit = _MAX_UNREAD_SECONDS * session.started.output.sample_rate
    try:
        for block in blocks:
            session.wait_until_read(limit)
            session.write(block)
        session.finish()
    except BaseException as error:  # of the caller's iterable too: raised where the answer is read
        failures.append(error)
        session.cancel()
