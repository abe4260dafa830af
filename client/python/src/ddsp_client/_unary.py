"""Calls that take one message and give one: renderings and features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client import _translate as translate
from ddsp_client._channel import EXTRACT, MAX_REQUEST_BYTES, RENDER
from ddsp_client._steps import Steps, call
from ddsp_client.audio import AnySamples, Samples, as_samples, make_decoder
from ddsp_client.errors import ResourceExhaustedError
from ddsp_client.messages import Features, Rendering, Started, StreamOptions, TimbreAdjustment

_ROOM_FOR_CONFIG = 64 << 10


def fits(samples: Samples) -> bool:
    """Whether a recording goes into one message."""
    return samples.nbytes + _ROOM_FOR_CONFIG <= MAX_REQUEST_BYTES


def _check_size(size: int, instead: str) -> None:
    if size > MAX_REQUEST_BYTES:
        raise ResourceExhaustedError(
            f"the request has {size} bytes, of which a server takes {MAX_REQUEST_BYTES} (4 MiB); {instead}"
        )


def _rendering(response: pb.RenderResponse) -> Rendering:
    started = translate.from_started(response.started)
    decoder = make_decoder(started.output.codec, started.output.sample_rate)
    features = translate.from_features(response.features) if response.HasField("features") else None
    return Rendering(decoder.decode(response.audio), started, features)


def render(samples: Samples, options: StreamOptions, adjust: TimbreAdjustment | None) -> Steps[Rendering]:
    """Of a whole recording."""
    config = translate.to_config(options)
    if adjust is not None:
        config.adjust.CopyFrom(translate.to_adjustment(adjust))
    request = pb.RenderRequest(config=config, audio=samples.astype("<f4", copy=False).tobytes())
    _check_size(request.ByteSize(), "to adjust a recording, it must fit one message")
    return _rendering((yield from call(RENDER, request, options.timeout)))


def render_controls(
    f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike, frame_samples: int, options: StreamOptions
) -> Steps[Rendering]:
    """Of pitch and loudness."""
    request = pb.RenderRequest(
        config=translate.to_config(options),
        frames=translate.to_frames(f0_hz, loudness_db),
        frame_samples=frame_samples,
    )
    _check_size(request.ByteSize(), 'open a session with input="controls"')
    return _rendering((yield from call(RENDER, request, options.timeout)))


def extract(audio: AnySamples, sample_rate: int, frame_rate: int, timeout: float | None) -> Steps[Features]:
    """Of a whole recording. Integers of 16 bits go as they are, so that twice as many fit."""
    array = np.asarray(audio)
    short = array.dtype == np.int16
    data = array.astype("<i2", copy=False).tobytes() if short else as_samples(audio).astype("<f4", copy=False).tobytes()
    request = pb.ExtractRequest(
        format=pb.AudioFormat(encoding=pb.PCM_S16LE if short else pb.PCM_F32LE, sample_rate_hz=sample_rate, channels=1),
        audio=data,
        frame_rate_hz=frame_rate,
    )
    _check_size(request.ByteSize(), "submit a job, or stream with output=features")
    return translate.from_features((yield from call(EXTRACT, request, timeout)).features)


def join(started: Started, parts: Sequence[Samples], features: Sequence[Features]) -> Rendering:
    """A stream's answer as one."""
    audio = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if not features:
        return Rendering(audio, started)
    return Rendering(
        audio,
        started,
        Features(
            frame_rate=features[0].frame_rate,
            f0_hz=np.concatenate([block.f0_hz for block in features]),
            f0_confidence=np.concatenate([block.f0_confidence for block in features]),
            voiced=np.concatenate([block.voiced for block in features]),
            loudness_db=np.concatenate([block.loudness_db for block in features]),
            power_db=np.concatenate([block.power_db for block in features]),
        ),
    )
