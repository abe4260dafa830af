"""Live voices over gRPC.

    with ddsp_client.Client("localhost:8001") as client:
        for block in client.transfer(microphone, model="violin", sample_rate=48000):
            play(block)

`ddsp_client.aio` has the same for asyncio.
"""

from ddsp_client import aio
from ddsp_client.client import Client
from ddsp_client.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    DataLossError,
    DdspError,
    DeadlineExceededError,
    ErrorDetails,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from ddsp_client.job import Job, JobFailedError, JobFile, JobProgress, JobState, LogLine
from ddsp_client.jobs import Jobs
from ddsp_client.messages import (
    AudioBlock,
    AudioFormat,
    Event,
    EventKind,
    Features,
    Message,
    Parameters,
    PerformerProfile,
    Rendering,
    Resume,
    Resumption,
    Started,
    StreamOptions,
    Summary,
    TimbreAdjustment,
)
from ddsp_client.resuming import ResumingSession
from ddsp_client.session import Session
from ddsp_client.transfer import Transfer

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AudioBlock",
    "AudioFormat",
    "CancelledError",
    "Client",
    "DataLossError",
    "DdspError",
    "DeadlineExceededError",
    "ErrorDetails",
    "Event",
    "EventKind",
    "FailedPreconditionError",
    "Features",
    "FieldViolation",
    "InternalError",
    "InvalidArgumentError",
    "Job",
    "JobFailedError",
    "JobFile",
    "JobProgress",
    "JobState",
    "Jobs",
    "LogLine",
    "Message",
    "NotFoundError",
    "OutOfRangeError",
    "Parameters",
    "PerformerProfile",
    "PermissionDeniedError",
    "Rendering",
    "ResourceExhaustedError",
    "Resume",
    "ResumingSession",
    "Resumption",
    "Session",
    "Started",
    "StreamOptions",
    "Summary",
    "TimbreAdjustment",
    "Transfer",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "aio",
]
