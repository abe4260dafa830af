"""Work that takes a while, for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc
import grpc.aio

from ddsp_client import _job_steps as steps_of
from ddsp_client import _proto as pb
from ddsp_client._blob_steps import Progress, upload
from ddsp_client._channel import WATCH_JOB, serialize
from ddsp_client._job_steps import AnyPath, Sources
from ddsp_client._steps import Steps, backoff, error_of
from ddsp_client.aio._steps import run
from ddsp_client.job import Job, JobFile, LogLine, from_job

T = TypeVar("T")


class Jobs:
    """Jobs of a server. Lost connections and restarts of the server are no news to the caller."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def submit_train(
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
        files = await self._run(steps_of.upload_all(data, progress))
        spec = steps_of.train_spec(files, model, recipe, steps, overrides, seed)
        return await self._run(steps_of.create(spec, display_name, priority, request_id))

    async def submit_transfer(
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
        files = await self._run(steps_of.upload_all(inputs, progress))
        return await self._run(
            steps_of.create(steps_of.transfer_spec(files, model, seed), display_name, priority, request_id)
        )

    async def submit_render(
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
        files = await self._run(steps_of.upload_all(inputs, progress))
        return await self._run(
            steps_of.create(steps_of.render_spec(files, model, seed), display_name, priority, request_id)
        )

    async def submit_features(
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
        files = await self._run(steps_of.upload_all(inputs, progress))
        return await self._run(
            steps_of.create(steps_of.features_spec(files, frame_rate), display_name, priority, request_id)
        )

    async def upload(self, path: AnyPath, name: str = "", progress: Progress | None = None) -> JobFile:
        """Uploads one file; goes on where an earlier upload of the same bytes was cut off."""
        return await self._run(upload(Path(path), name or Path(path).name, progress))

    async def get(self, name: str) -> Job:
        """The job as it is now."""
        return await self._run(steps_of.get(name))

    async def list(self, filter: str = "", page_size: int = 50) -> AsyncIterator[Job]:  # noqa: A002
        """Jobs, newest first: "state = RUNNING AND kind = train"; fields: state, done, kind, display_name."""
        token = ""
        while True:
            jobs, token = await self._run(steps_of.list_page(filter, token, page_size))
            for job in jobs:
                yield job
            if not token:
                return

    async def cancel(self, name: str) -> Job:
        """Asks for the end of a job. A running one ends as soon as its worker hears of it."""
        return await self._run(steps_of.cancel(name))

    async def wait(self, name: str, timeout: float | None = None) -> Job:
        """The job when it is done, however it ended (see Job.raise_for_state); TimeoutError after the timeout."""
        return await self._run(steps_of.wait(name, timeout))

    async def watch(self, name: str) -> AsyncIterator[Job]:
        """The job now and after every change, until it is done. Connects again as often as it takes."""
        method: Any = self._channel.unary_stream(
            WATCH_JOB.path, request_serializer=serialize, response_deserializer=WATCH_JOB.read
        )
        revision, failures = 0, 0
        while True:
            call = method(pb.WatchJobRequest(name=name, after_revision=revision))
            try:
                async for message in call:
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
                await asyncio.sleep(error.retry_delay or backoff(failures))
            finally:
                call.cancel()

    async def logs(self, name: str, *, after: int = 0, follow: bool = False) -> AsyncIterator[LogLine]:
        """What the job's workers said, after line `after`; with `follow` until the job is done."""
        while lines := await self._run(steps_of.next_log_page(name, after, follow)):
            for line in lines:
                yield line
            after = lines[-1].number

    async def download(self, job: Job | str, directory: AnyPath, progress: Progress | None = None) -> Sequence[Path]:
        """The files of a job's result, below `directory`; goes on where an earlier download was cut off."""
        name = job if isinstance(job, str) else job.name
        return await self._run(steps_of.download_all(name, directory, progress))

    async def download_file(self, file: JobFile, path: AnyPath, progress: Progress | None = None) -> Path:
        """One file, a listening example say."""
        return await self._run(steps_of.download_file(file, Path(path), progress))

    async def _run(self, steps: Steps[T]) -> T:
        return await run(self._channel, steps)
