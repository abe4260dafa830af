"""A job as the server tells of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from ddsp_client import _proto as pb
from ddsp_client.errors import DdspError


class JobState(enum.Enum):
    """Where a job is; nothing leaves the last three."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYABLE = "retryable"  # an attempt failed; another follows
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


_STATES = {
    pb.JOB_STATE_QUEUED: JobState.QUEUED,
    pb.JOB_STATE_RUNNING: JobState.RUNNING,
    pb.JOB_STATE_RETRYABLE: JobState.RETRYABLE,
    pb.JOB_STATE_SUCCEEDED: JobState.SUCCEEDED,
    pb.JOB_STATE_FAILED: JobState.FAILED,
    pb.JOB_STATE_CANCELLED: JobState.CANCELLED,
}


class JobFailedError(DdspError):
    """A job that is done and did not succeed."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"{job.name} {job.state.value}" + (f": {job.error}" if job.error else ""))
        self.job = job


@dataclass(frozen=True)
class JobFile:
    """A file of a job, in the server's store."""

    path: str  # relative, parts divided by "/"
    sha256: str
    size: int


@dataclass(frozen=True)
class JobProgress:
    """How far a job is."""

    done: int  # steps or files
    total: int  # 0: not known
    metrics: Mapping[str, float]  # "loss", "learning_rate", ...
    seconds_left: float | None
    examples: tuple[JobFile, ...]  # to listen to


@dataclass(frozen=True)
class Job:
    """A job at one moment."""

    name: str  # "jobs/train-4f0c2a9be1d07735"
    kind: str  # "train", "transfer", "render" or "features"
    display_name: str
    state: JobState
    done: bool
    revision: int
    priority: int
    create_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    attempts: int
    failures: int
    worker: str
    cancel_requested: bool
    progress: JobProgress
    checkpoint_step: int
    error: str  # of the job, or of its last attempt
    model: str  # published: "my-cello/1"
    files: tuple[JobFile, ...]  # of the result
    metrics: Mapping[str, float]  # of the result

    def raise_for_state(self) -> Job:
        """The job itself; JobFailedError where it is done and did not succeed."""
        if self.done and self.state is not JobState.SUCCEEDED:
            raise JobFailedError(self)
        return self


@dataclass(frozen=True)
class LogLine:
    """Something that a worker said."""

    number: int
    time: datetime
    text: str


def _time(timestamp: Timestamp) -> datetime:
    return datetime.fromtimestamp(timestamp.seconds + timestamp.nanos / 1e9, UTC)


def _files(files: object) -> tuple[JobFile, ...]:
    return tuple(JobFile(file.path, file.sha256, file.size) for file in files)  # type: ignore[attr-defined]


def from_job(job: pb.Job) -> Job:
    """What the wire says."""
    progress = job.progress
    left = progress.time_left
    return Job(
        name=job.name,
        kind=job.spec.WhichOneof("kind") or "",
        display_name=job.display_name,
        state=_STATES.get(job.state, JobState.UNKNOWN),
        done=job.done,
        revision=job.revision,
        priority=job.priority,
        create_time=_time(job.create_time) if job.HasField("create_time") else None,
        start_time=_time(job.start_time) if job.HasField("start_time") else None,
        end_time=_time(job.end_time) if job.HasField("end_time") else None,
        attempts=job.attempts,
        failures=job.failures,
        worker=job.worker,
        cancel_requested=job.cancel_requested,
        progress=JobProgress(
            progress.done,
            progress.total,
            dict(progress.metrics),
            left.seconds + left.nanos / 1e9 if progress.HasField("time_left") else None,
            _files(progress.examples),
        ),
        checkpoint_step=job.checkpoint.step,
        error=job.error,
        model=job.result.model,
        files=_files(job.result.files),
        metrics=dict(job.result.metrics),
    )


def from_log_line(line: pb.LogLine) -> LogLine:
    """What the wire says."""
    return LogLine(line.number, _time(line.time), line.text)
