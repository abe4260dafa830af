"""What a live session is asked for, and what it answers with."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ddsp_client.audio import Samples
from ddsp_client.errors import DdspError


@dataclass(frozen=True)
class Parameters:
    """Settings that may change while a session runs; None stays as it is."""

    pitch_shift_semitones: float | None = None  # -48 to 48
    loudness_shift_db: float | None = None  # -60 to 60


@dataclass(frozen=True)
class PerformerProfile:
    """How a performer plays, as `ddsp profile` measures it."""

    name: str
    power_quantiles_db: Sequence[float]  # rising, evenly spaced from minimum to maximum
    mean_pitch_midi: float


@dataclass(frozen=True)
class TimbreAdjustment:
    """Fits register and dynamics of a whole recording to a voice; None: the server's default."""

    threshold: float | None = None  # of the note detector, 0 to 2
    quiet_db: float | None = None  # taken from what is no note, 0 to 60
    autotune: float | None = None  # share of the distance to the scale that is removed, 0 to 1


@dataclass(frozen=True)
class StreamOptions:
    """What a session is asked for."""

    model: str = ""  # "violin", "violin/3"; may be empty for features alone
    sample_rate: int = 16000  # of the input, Hz: 8000 to 48000; Opus: 8000, 12000, 16000, 24000 or 48000
    output_rate: int = 0  # Hz; 0: as the input
    codec: str = "pcm"  # of the input: "pcm" (32-bit float), "pcm16" or "opus"
    output_codec: str = ""  # empty: as the input
    input: str = "audio"  # "audio" or "controls"
    output: str = "audio"  # "audio", "features" or "audio+features"
    tail: bool = True  # the reverb rings out after the end; False: as many samples come back as went in
    pitch_shift_semitones: float | None = None
    loudness_shift_db: float | None = None
    profile: PerformerProfile | None = None  # None: the voice's neutral one
    seed: int = 0  # of the noise: the same seed gives the same samples
    output_block_samples: int = 0  # 0: 20 ms or one hop of the voice, whichever is longer
    opus_bitrate: int = 0  # bit/s; 0: the codec's default
    # A session that may wait gives way to live ones.
    throughput: bool = False
    # Samples that may wait to be read before the server is asked to hold back; 0: no limit.
    max_unread_samples: int = 0
    # Seconds of silence after which this side pings, so that the server does not take it for gone; None: never.
    keepalive: float | None = None
    # Where the server stops or dies, another one of the client's goes on; None: the session ends with its server.
    resume: Resume | None = None
    open_timeout: float = 10.0  # seconds for the server to answer
    timeout: float | None = None  # seconds for the whole session


@dataclass(frozen=True)
class AudioFormat:
    """Of one direction."""

    codec: str
    sample_rate: int


@dataclass(frozen=True)
class Started:
    """What the server agreed to. Counts are samples at the output rate unless said otherwise."""

    session_id: str
    model: str  # with its version: "violin/1"
    profile: str  # "neutral" or the name of the profile in use
    input: AudioFormat
    output: AudioFormat
    latency_samples: int  # algorithmic; already taken off what is read
    tail_samples: int
    output_block_samples: int
    input_credit: int  # samples at the input rate
    hop_size: int
    model_sample_rate: int
    input_codec_delay: int
    output_codec_delay: int
    max_block_bytes: int

    @property
    def latency_seconds(self) -> float:
        """The algorithmic latency; the network's, and the codecs', come on top."""
        return self.latency_samples / self.output.sample_rate if self.output.sample_rate else 0.0


@dataclass(frozen=True, eq=False)
class AudioBlock:
    """Audio that became due. Blocks follow each other without a gap."""

    start_sample: int  # of the input, at the output rate
    samples: Samples


@dataclass(frozen=True, eq=False)
class Features:
    """Pitch and loudness; frame t is centred at (first_frame + t) / frame_rate seconds."""

    frame_rate: float
    f0_hz: npt.NDArray[np.float32]
    f0_confidence: npt.NDArray[np.float32]
    voiced: npt.NDArray[np.bool_]
    loudness_db: npt.NDArray[np.float32]
    power_db: npt.NDArray[np.float32]
    first_frame: int = 0

    def __len__(self) -> int:
        return len(self.f0_hz)

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Of the frames' centres, in seconds."""
        return (self.first_frame + np.arange(len(self))) / self.frame_rate


class EventKind(enum.Enum):
    """What a server tells besides audio."""

    OTHER = "other"
    DRAINING = "draining"  # the server will stop soon: finish, and open the next session elsewhere
    UNDERRUN = "underrun"  # the listener heard a gap
    FLUSHED = "flushed"
    IDLE_WARNING = "idle_warning"  # say something, or the session ends


@dataclass(frozen=True)
class Event:
    """Something that happened; the session goes on."""

    kind: EventKind
    sample: int
    detail: str
    flush_id: int = 0


@dataclass(frozen=True)
class Summary:
    """The last message of a clean end."""

    input_samples: int
    output_samples: int  # tail included
    input_blocks: int
    output_blocks: int
    feature_frames: int


Message = AudioBlock | Features | Event | Summary


@dataclass(frozen=True, eq=False)
class Rendering:
    """A whole answer, lined up with its input."""

    audio: Samples
    started: Started
    features: Features | None = field(default=None)


@dataclass(frozen=True)
class Resumption:
    """A move from one server to another. The durations, in seconds, follow each other: so long nothing new came."""

    cause: DdspError
    from_server: str
    to_server: str
    detection: float  # from the last message of the one to the decision to leave it
    reconnection: float  # from there to the answer of the other
    replay: float  # from there to the first output that had not come before
    replayed_input: int  # samples that were sent again
    repeated_output: int  # samples that came again and were dropped
    from_snapshot: bool  # else from the session's start


@dataclass(frozen=True)
class Resume:
    """How a session outlives its server: it goes on at another one of the client's, and nobody hears it."""

    snapshot_interval: float = 1.0  # seconds, 0.1 at least: what was sent since the last one is played again
    ping_interval: float = 0.5  # a server that is silent for so long is asked for a sign of life,
    dead_after: float = 1.5  # and taken for dead after so long
    attempt_timeout: float = 3.0  # for a server to go on with the session, before the next one is tried
    give_up_after: float = 30.0  # while no server goes on
    max_replay_bytes: int = 64 << 20  # of input since the last snapshot
    max_unsent: float = 10.0  # seconds of input that may wait to be sent
    on_resumed: Callable[[Resumption], None] | None = None  # must not block
