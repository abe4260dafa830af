"""The way in: a connection to one server, or to several behind one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import grpc
import numpy as np
import numpy.typing as npt

from ddsp_client import _channel as channels
from ddsp_client import _unary as unary
from ddsp_client._rotation import split_servers
from ddsp_client._security import make_security
from ddsp_client._steps import Steps, run
from ddsp_client.audio import AnySamples, as_samples
from ddsp_client.jobs import Jobs
from ddsp_client.messages import (
    Features,
    PerformerProfile,
    Rendering,
    Resume,
    StreamOptions,
    TimbreAdjustment,
)
from ddsp_client.resuming import ResumingSession
from ddsp_client.session import Session
from ddsp_client.transfer import Transfer

T = TypeVar("T")

# Pings of a transfer whose microphone is silent, in seconds; servers wait for 60.
KEEPALIVE = 10.0


class Client:
    """Talks to the server at `target`: HOST:PORT, "dns:///name:port", "unix:/path", or several, "a:8001,b:8001".

    Threads may share it. `tls` makes the connection TLS with the authorities that gRPC knows, `ca` (a file, or what it holds) with
    others; `certificate` and its key are shown to a server that asks for them, `token` (a key or a JSON Web Token)
    goes with every call, and so does `metadata`. `credentials` takes the place of the first three. A refusal for want
    of room is tried again `attempts - 1` times, at another address where the name has several.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: bool = False,
        ca: str | Path | bytes | None = None,
        certificate: tuple[str | Path | bytes, str | Path | bytes] | None = None,
        token: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Mapping[str, str] | None = None,
        attempts: int = 3,
    ) -> None:
        self._servers = split_servers(target)
        security = make_security(
            self._servers,
            tls=tls,
            ca=ca,
            certificate=certificate,
            token=token,
            credentials=credentials,
            metadata=metadata,
        )
        self._credentials, self._metadata = security.credentials, security.metadata
        self._channel: grpc.Channel = self._connect(channels.target_of(self._servers), attempts)
        self.jobs = Jobs(self._channel)

    def open(self, options: StreamOptions) -> Session:
        """Opens a session: everything that `transfer` does, by hand. With `options.resume` it is a ResumingSession."""
        if options.resume is not None:
            return ResumingSession(self._connect, self._servers, options)
        return Session(self._channel, options)

    def _connect(self, target: str, attempts: int = 1) -> grpc.Channel:
        options = channels.channel_options(attempts)
        if self._credentials is None:
            channel = grpc.insecure_channel(target, options)
        else:
            channel = grpc.secure_channel(target, self._credentials, options)
        return grpc.intercept_channel(channel, _WithMetadata(self._metadata)) if self._metadata else channel

    def transfer(
        self,
        blocks: Iterable[AnySamples] | npt.NDArray[Any],
        *,
        model: str,
        sample_rate: int = 16000,
        output_rate: int = 0,
        codec: str = "pcm",
        output: str = "audio",
        tail: bool = True,
        pitch_shift_semitones: float | None = None,
        loudness_shift_db: float | None = None,
        profile: PerformerProfile | None = None,
        seed: int = 0,
        keepalive: float | None = KEEPALIVE,
        resume: Resume | None = None,
        timeout: float | None = None,
    ) -> Transfer:
        """Plays what `blocks` gives, as it comes, with a voice: iterate over the answer.

        Blocks may have any length, float32 or int16; how audio is cut does not change the answer. With `resume` another
        server goes on where this one stops or dies. See StreamOptions.
        """
        options = StreamOptions(
            model=model,
            sample_rate=sample_rate,
            output_rate=output_rate,
            codec=codec,
            output=output,
            tail=tail,
            pitch_shift_semitones=pitch_shift_semitones,
            loudness_shift_db=loudness_shift_db,
            profile=profile,
            seed=seed,
            keepalive=keepalive,
            resume=resume,
            timeout=timeout,
        )
        return Transfer(self.open(options), blocks)

    def render(
        self,
        audio: AnySamples,
        *,
        model: str,
        sample_rate: int = 16000,
        output_rate: int = 0,
        output: str = "audio",
        tail: bool = True,
        pitch_shift_semitones: float | None = None,
        loudness_shift_db: float | None = None,
        profile: PerformerProfile | None = None,
        adjust: TimbreAdjustment | None = None,
        seed: int = 0,
        timeout: float | None = 600,
    ) -> Rendering:
        """Plays a whole recording with a voice: the samples that a stream of it gives.

        What does not fit one message (4 MiB) goes as a stream; `adjust` needs one.
        """
        samples = as_samples(audio)
        options = StreamOptions(
            model=model,
            sample_rate=sample_rate,
            output_rate=output_rate,
            output=output,
            tail=tail,
            pitch_shift_semitones=pitch_shift_semitones,
            loudness_shift_db=loudness_shift_db,
            profile=profile,
            seed=seed,
            throughput=True,
            timeout=timeout,
        )
        if adjust is None and not unary.fits(samples):
            return self._render_stream(samples, options)
        return self._run(unary.render(samples, options, adjust))

    def render_controls(
        self,
        f0_hz: npt.ArrayLike,
        loudness_db: npt.ArrayLike,
        *,
        model: str,
        frame_samples: int = 320,
        sample_rate: int = 16000,
        tail: bool = True,
        seed: int = 0,
        timeout: float | None = 600,
    ) -> Rendering:
        """Plays pitch and loudness with a voice; each frame holds for `frame_samples` at `sample_rate`."""
        options = StreamOptions(
            model=model, sample_rate=sample_rate, input="controls", tail=tail, seed=seed, timeout=timeout
        )
        return self._run(unary.render_controls(f0_hz, loudness_db, frame_samples, options))

    def features(
        self, audio: AnySamples, *, sample_rate: int = 16000, frame_rate: int = 100, timeout: float | None = 600
    ) -> Features:
        """Pitch, loudness and power of a whole recording at 16 kHz, `frame_rate` of them a second. Needs no voice."""
        return self._run(unary.extract(audio, sample_rate, frame_rate, timeout))

    def close(self) -> None:
        """Ends all calls."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, steps: Steps[T]) -> T:
        return run(self._channel, steps)

    def _render_stream(self, samples: npt.NDArray[np.float32], options: StreamOptions) -> Rendering:
        with self.open(options) as session, Transfer(session, samples) as transfer:
            parts = list(transfer)
            return unary.join(session.started, parts, transfer.features)


class _WithMetadata(
    grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor
):
    """Adds the same metadata to every call."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    def _extended(self, details: Any) -> Any:
        return _Details(details, (*(details.metadata or ()), *self._metadata))

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """One to one."""
        return continuation(self._extended(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """One to many."""
        return continuation(self._extended(client_call_details), request)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        """Many to many."""
        return continuation(self._extended(client_call_details), request_iterator)


class _Details(grpc.ClientCallDetails):
    def __init__(self, details: Any, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        self.method = details.method
        self.timeout = details.timeout
        self.metadata = metadata
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression
