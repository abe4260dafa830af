"""Work that takes a while: a voice from recordings, many files at once. Submitted here, done by workers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc

from ddsp_client import _job_steps as steps_of
from ddsp_client import _proto as pb
from ddsp_client._blob_steps import Progress, upload
from ddsp_client._channel import WATCH_JOB, serialize
from ddsp_client._job_steps import AnyPath, Sources
from ddsp_client._steps import Steps, backoff, error_of, run
from ddsp_client.job import Job, JobFile, LogLine, from_job

T = TypeVar("T")


class Jobs:
    """Jobs of a server. Lost connections and restarts of the server are no news to the caller."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def submit_train(
        self,
        data: Sources,
        *,
        model: str,
        recipe: str = "vst",
        steps: int = 0,
        overrides: Sequence[str] = (),
        seed: int = 0,
        display_name: str = "",
        priority: int = 0,
        request_id: str = "",
        progress: Progress | None = None,
    ) -> Job:
        """Uploads recordings (files or folders) and submits the training of a voice; it is served when it is done.

        `steps` 0: as the recipe says. The same `request_id` again gives the same job. `progress(bytes, all_bytes)`.
        """
        files = self._run(steps_of.upload_all(data, progress))
        spec = steps_of.train_spec(files, model, recipe, steps, overrides, seed)
        return self._run(steps_of.create(spec, display_name, priority, request_id))

    def submit_transfer(
        self,
        inputs: Sources,
        *,
        model: str,
        seed: int = 0,
        display_name: str = "",
        priority: int = 0,
        request_id: str = "",
        progress: Progress | None = None,
    ) -> Job:
        """Uploads recordings and has them played by a voice."""
        files = self._run(steps_of.upload_all(inputs, progress))
        return self._run(
            steps_of.create(steps_of.transfer_spec(files, model, seed), display_name, priority, request_id)
        )

    def submit_render(
        self,
        inputs: Sources,
        *,
        model: str,
        seed: int = 0,
        display_name: str = "",
        priority: int = 0,
        request_id: str = "",
        progress: Progress | None = None,
    ) -> Job:
        """Uploads features and has them played by a voice."""
        files = self._run(steps_of.upload_all(inputs, progress))
        return self._run(steps_of.create(steps_of.render_spec(files, model, seed), display_name, priority, request_id))

    def submit_features(
        self,
        inputs: Sources,
        *,
        frame_rate: int = 0,
        display_name: str = "",
        priority: int = 0,
        request_id: str = "",
        progress: Progress | None = None,
    ) -> Job:
        """Uploads recordings and has pitch and loudness measured, `frame_rate` times a second; 0: the default."""
        files = self._run(steps_of.upload_all(inputs, progress))
        return self._run(steps_of.create(steps_of.features_spec(files, frame_rate), display_name, priority, request_id))

    def upload(self, path: AnyPath, name: str = "", progress: Progress | None = None) -> JobFile:
        """Uploads one file; goes on where an earlier upload of the same bytes was cut off."""
        return self._run(upload(Path(path), name or Path(path).name, progress))

    def get(self, name: str) -> Job:
        """The job as it is now."""
        return self._run(steps_of.get(name))

    def list(self, filter: str = "", page_size: int = 50) -> Iterator[Job]:  # noqa: A002
        """Jobs, newest first: "state = RUNNING AND kind = train"; fields: state, done, kind, display_name."""
        token = ""
        while True:
            jobs, token = self._run(steps_of.list_page(filter, token, page_size))
            yield from jobs
            if not token:
                return

    def cancel(self, name: str) -> Job:
        """Asks for the end of a job. A running one ends as soon as its worker hears of it."""
        return self._run(steps_of.cancel(name))

    def wait(self, name: str, timeout: float | None = None) -> Job:
        """The job when it is done, however it ended (see Job.raise_for_state); TimeoutError after the timeout."""
        return self._run(steps_of.wait(name, timeout))

    def watch(self, name: str) -> Iterator[Job]:
        """The job now and after every change, until it is done. Connects again as often as it takes."""
        method: Any = self._channel.unary_stream(
            WATCH_JOB.path, request_serializer=serialize, response_deserializer=WATCH_JOB.read
        )
        revision, failures = 0, 0
        while True:
            call = method(pb.WatchJobRequest(name=name, after_revision=revision))
            try:
                for message in call:
                    job = from_job(message)
                    if job.revision > revision:
                        revision, failures = job.revision, 0
                        yield job
                    if job.done:
                        return
            except grpc.RpcError as failure:
                error = error_of(failure)
                failures += 1
                if error.code is not grpc.StatusCode.UNAVAILABLE or failures > steps_of.WATCH_ATTEMPTS:
                    raise error from None
                time.sleep(error.retry_delay or backoff(failures))
            finally:
                call.cancel()

    def logs(self, name: str, *, after: int = 0, follow: bool = False) -> Iterator[LogLine]:
        """What the job's workers said, after line `after`; with `follow` until the job is done."""
        while lines := self._run(steps_of.next_log_page(name, after, follow)):
            yield from lines
            after = lines[-1].number

    def download(self, job: Job | str, directory: AnyPath, progress: Progress | None = None) -> Sequence[Path]:
        """The files of a job's result, below `directory`; goes on where an earlier download was cut off."""
        name = job if isinstance(job, str) else job.name
        return self._run(steps_of.download_all(name, directory, progress))

    def download_file(self, file: JobFile, path: AnyPath, progress: Progress | None = None) -> Path:
        """One file, a listening example say."""
        return self._run(steps_of.download_file(file, Path(path), progress))

    def _run(self, steps: Steps[T]) -> T:
        return run(self._channel, steps)
