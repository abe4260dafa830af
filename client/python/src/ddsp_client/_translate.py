"""Options and answers to and from the messages of the protocol. All translation of sessions is here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_client import _proto as pb
from ddsp_client.audio import codec_of, encoding_of
from ddsp_client.errors import InvalidArgumentError
from ddsp_client.messages import (
    AudioFormat,
    Event,
    EventKind,
    Features,
    Parameters,
    Started,
    StreamOptions,
    Summary,
    TimbreAdjustment,
)

_INPUTS = {"audio": pb.SESSION_INPUT_AUDIO, "controls": pb.SESSION_INPUT_CONTROLS}
_OUTPUTS = {
    "audio": pb.SESSION_OUTPUT_AUDIO,
    "features": pb.SESSION_OUTPUT_FEATURES,
    "audio+features": pb.SESSION_OUTPUT_AUDIO_AND_FEATURES,
}
_EVENTS = {
    pb.SessionEvent.DRAINING: EventKind.DRAINING,
    pb.SessionEvent.UNDERRUN: EventKind.UNDERRUN,
    pb.SessionEvent.FLUSHED: EventKind.FLUSHED,
    pb.SessionEvent.IDLE_WARNING: EventKind.IDLE_WARNING,
}


def _format(codec: str, sample_rate: int) -> pb.AudioFormat:
    return pb.AudioFormat(encoding=encoding_of(codec), sample_rate_hz=sample_rate, channels=1)


def to_parameters(parameters: Parameters) -> pb.Parameters:
    """What is None stays unset."""
    return pb.Parameters(
        pitch_shift_semitones=parameters.pitch_shift_semitones, loudness_shift_db=parameters.loudness_shift_db
    )


def to_config(options: StreamOptions) -> pb.SessionConfig:
    """InvalidArgumentError for a word that is none of those that an option has."""
    if options.input not in _INPUTS:
        raise InvalidArgumentError(f"input is {options.input!r}; expected one of {', '.join(_INPUTS)}")
    if options.output not in _OUTPUTS:
        raise InvalidArgumentError(f"output is {options.output!r}; expected one of {', '.join(_OUTPUTS)}")
    config = pb.SessionConfig(
        model=options.model,
        input_format=_format(options.codec, options.sample_rate),
        output_format=_format(options.output_codec or options.codec, options.output_rate or options.sample_rate),
        input=_INPUTS[options.input],
        output=_OUTPUTS[options.output],
        tail=pb.TAIL_RING_OUT if options.tail else pb.TAIL_CUT,
        parameters=to_parameters(Parameters(options.pitch_shift_semitones, options.loudness_shift_db)),
        seed=options.seed,
        output_block_samples=options.output_block_samples,
        output_credit=options.max_unread_samples,
        qos=pb.QUALITY_OF_SERVICE_THROUGHPUT if options.throughput else pb.QUALITY_OF_SERVICE_REALTIME,
        opus_bitrate=options.opus_bitrate,
    )
    if options.profile is not None:
        config.profile.CopyFrom(
            pb.PerformerProfile(
                name=options.profile.name,
                power_quantiles_db=options.profile.power_quantiles_db,
                mean_pitch_midi=options.profile.mean_pitch_midi,
            )
        )
    return config


def to_adjustment(adjust: TimbreAdjustment) -> pb.TimbreAdjustment:
    """What is None stays unset."""
    return pb.TimbreAdjustment(threshold=adjust.threshold, quiet_db=adjust.quiet_db, autotune=adjust.autotune)


def to_frames(f0_hz: npt.ArrayLike, loudness_db: npt.ArrayLike) -> list[pb.ControlFrame]:
    """A frame for each pair; InvalidArgumentError where there are more of one than of the other."""
    pitches, levels = np.asarray(f0_hz, np.float32).reshape(-1), np.asarray(loudness_db, np.float32).reshape(-1)
    if len(pitches) != len(levels):
        raise InvalidArgumentError(f"f0_hz has {len(pitches)} frames, loudness_db {len(levels)}")
    pairs = zip(pitches.tolist(), levels.tolist(), strict=True)
    return [pb.ControlFrame(f0_hz=f0, loudness_db=db) for f0, db in pairs]


def from_started(started: pb.SessionStarted) -> Started:
    """What the server agreed to."""
    return Started(
        session_id=started.session_id,
        model=started.model,
        profile=started.profile,
        input=AudioFormat(codec_of(started.input_format.encoding), started.input_format.sample_rate_hz),
        output=AudioFormat(codec_of(started.output_format.encoding), started.output_format.sample_rate_hz),
        latency_samples=started.latency_samples,
        tail_samples=started.tail_samples,
        output_block_samples=started.output_block_samples,
        input_credit=started.input_credit,
        hop_size=started.hop_size,
        model_sample_rate=started.model_sample_rate_hz,
        input_codec_delay=started.input_codec_delay_samples,
        output_codec_delay=started.output_codec_delay_samples,
        max_block_bytes=started.max_block_bytes,
    )


def from_features(block: pb.FeatureBlock) -> Features:
    """Arrays of one length."""
    return Features(
        frame_rate=block.frame_rate_hz,
        f0_hz=np.array(block.f0_hz, np.float32),
        f0_confidence=np.array(block.f0_confidence, np.float32),
        voiced=np.array(block.voiced, np.bool_),
        loudness_db=np.array(block.loudness_db, np.float32),
        power_db=np.array(block.power_db, np.float32),
        first_frame=block.first_frame,
    )


def from_event(event: pb.SessionEvent) -> Event:
    """OTHER for what later servers may say."""
    return Event(_EVENTS.get(event.kind, EventKind.OTHER), event.sample, event.detail, event.flush_id)


def from_summary(summary: pb.SessionSummary) -> Summary:
    """What the server counted."""
    return Summary(
        summary.input_samples,
        summary.output_samples,
        summary.input_blocks,
        summary.output_blocks,
        summary.feature_frames,
    )


def total_output(started: Started, tail: bool, input_samples: int) -> int:
    """Samples that a session gives in all: as many as went in, at the output rate, and the tail."""
    if input_samples == 0:
        return 0
    answered = input_samples * started.output.sample_rate // started.input.sample_rate
    return answered + (started.tail_samples if tail else 0)
