"""What clients do with jobs, in steps that the synchronous and the asyncio client share."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from ddsp_client import _blob_steps as blobs
from ddsp_client import _proto as pb
from ddsp_client._channel import CANCEL_JOB, CREATE_JOB, GET_JOB, LIST_JOBS, LIST_LOG_LINES, WAIT_JOB
from ddsp_client._steps import Sleep, Steps, call_again
from ddsp_client.errors import DataLossError, DeadlineExceededError, InvalidArgumentError, NotFoundError
from ddsp_client.job import Job, JobFile, LogLine, from_job, from_log_line

AnyPath = str | os.PathLike[str]
# Recordings and features: one path or several; a folder stands for all files in it, hidden ones left out.
Sources = AnyPath | Iterable[AnyPath]

_WAIT_SECONDS = 30  # of one call
_LOG_LINES = 1000
_POLL_SECONDS = 1.0
WATCH_ATTEMPTS = 20  # in a row without news


def files_of(sources: Sources) -> list[tuple[Path, str]]:
    """Files, each with its name in the job: relative to the folder that was given."""
    paths = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    found: dict[str, Path] = {}
    for source in map(Path, paths):
        if not source.exists():
            raise NotFoundError(f"{source} does not exist")
        inside = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
        root = source.parent if source.is_file() else source
        for path in inside:
            relative = path.relative_to(root)
            if source.is_dir() and any(part.startswith(".") for part in relative.parts):
                continue
            name = relative.as_posix()
            if name in found:
                raise InvalidArgumentError(f"{found[name]} and {path} would both be {name!r} in the job")
            found[name] = path
    if not found:
        raise InvalidArgumentError(f"there are no files in {', '.join(map(str, paths)) or 'an empty list'}")
    return [(path, name) for name, path in found.items()]


def upload_all(sources: Sources, progress: blobs.Progress | None) -> Steps[list[JobFile]]:
    """Uploads files, one after the other. `progress` counts the bytes of all of them."""
    files = files_of(sources)
    total = sum(path.stat().st_size for path, _ in files)
    uploaded: list[JobFile] = []
    for path, name in files:
        before = sum(file.size for file in uploaded)

        def tell(done: int, _size: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, total)

        uploaded.append((yield from blobs.upload(path, name, tell)))
    return uploaded


def to_files(files: Iterable[JobFile]) -> list[pb.JobFile]:
    """For the wire."""
    return [pb.JobFile(path=file.path, sha256=file.sha256, size=file.size) for file in files]


def create(spec: pb.JobSpec, display_name: str, priority: int, request_id: str) -> Steps[Job]:
    """Submits a job once, however often its answer is lost."""
    request = pb.CreateJobRequest(
        request_id=request_id or str(uuid.uuid4()), spec=spec, display_name=display_name, priority=priority
    )
    return from_job((yield from call_again(CREATE_JOB, request)))


def get(name: str) -> Steps[Job]:
    """As it is now."""
    return from_job((yield from call_again(GET_JOB, pb.GetJobRequest(name=name))))


def cancel(name: str) -> Steps[Job]:
    """Asks for its end."""
    return from_job((yield from call_again(CANCEL_JOB, pb.CancelJobRequest(name=name))))


def list_page(filter_text: str, token: str, size: int) -> Steps[tuple[list[Job], str]]:
    """Jobs, and the token of the next page, empty after the last."""
    request = pb.ListJobsRequest(page_size=size, page_token=token, filter=filter_text)
    answer = yield from call_again(LIST_JOBS, request)
    return [from_job(job) for job in answer.jobs], answer.next_page_token


def wait(name: str, timeout: float | None) -> Steps[Job]:
    """The job when it is done; DeadlineExceededError after the timeout."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _WAIT_SECONDS if deadline is None else min(_WAIT_SECONDS, deadline - time.monotonic())
        seconds = max(0.0, left)
        request = pb.WaitJobRequest(name=name)
        request.timeout.seconds, request.timeout.nanos = int(seconds), int(seconds % 1 * 1e9)
        job = from_job((yield from call_again(WAIT_JOB, request, timeout=seconds + 30)))
        if job.done:
            return job
        if deadline is not None and time.monotonic() >= deadline:
            raise DeadlineExceededError(f"{name} is {job.state.value} after {timeout} s")


def log_page(name: str, after: int) -> Steps[list[LogLine]]:
    """Lines after number `after`."""
    request = pb.ListLogLinesRequest(name=name, after=after, max_lines=_LOG_LINES)
    return [from_log_line(line) for line in (yield from call_again(LIST_LOG_LINES, request)).lines]


def next_log_page(name: str, after: int, follow: bool) -> Steps[list[LogLine]]:
    """Likewise; with `follow` waits for some until the job is done. Empty: there will be no more."""
    while True:
        done = not follow or (yield from get(name)).done  # before the look, so that the last lines are seen
        if (lines := (yield from log_page(name, after))) or done:
            return lines
        yield Sleep(_POLL_SECONDS)


def download_all(name: str, directory: AnyPath, progress: blobs.Progress | None) -> Steps[list[Path]]:
    """The files of a job's result, below `directory`."""
    job = (yield from get(name)).raise_for_state()
    if not job.done:
        raise NotFoundError(f"{name} is {job.state.value}: it has no result yet")
    return (yield from download_files(job.files, Path(directory), progress))


def download_files(files: Sequence[JobFile], directory: Path, progress: blobs.Progress | None) -> Steps[list[Path]]:
    """Each under its path."""
    total, before = sum(file.size for file in files), 0
    paths: list[Path] = []
    for file in files:
        relative = PurePosixPath(file.path)
        if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\\" in file.path:
            raise DataLossError(f"{file.path!r} leads out of the folder")

        def tell(done: int, _size: int, before: int = before) -> None:
            if progress is not None:
                progress(before + done, total)

        paths.append((yield from blobs.download(file, directory.joinpath(*relative.parts), tell)))
        before += file.size
    return paths


def download_file(file: JobFile, path: Path, progress: blobs.Progress | None) -> Steps[Path]:
    """One of them, into `path`."""
    return (yield from blobs.download(file, path, progress))


def train_spec(
    files: Iterable[JobFile], model: str, recipe: str, steps: int, overrides: Sequence[str], seed: int
) -> pb.JobSpec:
    """A voice from recordings."""
    return pb.JobSpec(
        train=pb.TrainSpec(
            data=to_files(files), model=model, recipe=recipe, steps=steps, overrides=overrides, seed=seed
        )
    )


def transfer_spec(files: Iterable[JobFile], model: str, seed: int) -> pb.JobSpec:
    """Recordings played by a voice."""
    return pb.JobSpec(transfer=pb.TransferSpec(inputs=to_files(files), model=model, seed=seed))


def render_spec(files: Iterable[JobFile], model: str, seed: int) -> pb.JobSpec:
    """Features played by a voice."""
    return pb.JobSpec(render=pb.RenderSpec(inputs=to_files(files), model=model, seed=seed))


def features_spec(files: Iterable[JobFile], frame_rate: int) -> pb.JobSpec:
    """Pitch and loudness of recordings."""
    return pb.JobSpec(features=pb.FeaturesSpec(inputs=to_files(files), frame_rate_hz=frame_rate))
