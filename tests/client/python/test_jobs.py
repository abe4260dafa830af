"""Jobs: against a server with faults, and against the real one."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ddsp_server import SOURCE, Server, serves_jobs
from ddsp_client import (
    AlreadyExistsError,
    Client,
    DataLossError,
    DdspError,
    InvalidArgumentError,
    JobFailedError,
    JobFile,
    JobState,
    NotFoundError,
    UnavailableError,
    aio,
    jobs,
)
from ddsp_client import _proto as pb
from ddsp_client._crc32c import crc32c
from ddsp_client._job_steps import files_of
from fake_jobs import FakeJobs

MIB = 1 << 20
CLIPS = SOURCE / "testdata" / "audio" / "clips"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    # Between attempts.
    for module in ("_steps", "_blob_steps", "jobs", "aio.jobs"):
        monkeypatch.setattr(f"ddsp_client.{module}.backoff", lambda _attempt: 0.0)


@pytest.fixture
def fake() -> Iterator[FakeJobs]:
    server = FakeJobs()
    yield server
    server.stop()


@pytest.fixture
def fake_jobs(fake: FakeJobs) -> Iterator[jobs.Jobs]:
    with Client(fake.address) as client:
        yield client.jobs


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    path = tmp_path / "recording.wav"
    path.write_bytes(os.urandom(3 * MIB + 12345))
    return path


def slow_crc32c(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_crc32c_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(b"\0" * 32) == 0x8A9136AA
    for size in (1, 1023, 1024, 1025, 2048, 5000):
        data = os.urandom(size)
        assert crc32c(data) == slow_crc32c(data), size


def test_an_upload_survives_lost_answers(fake: FakeJobs, fake_jobs: jobs.Jobs, big_file: Path):
    fake.lost_answers = {"BeginUpload": {1}, "UploadChunk": {1, 3}}
    told: list[int] = []
    file = fake_jobs.upload(big_file, progress=lambda done, _size: told.append(done))
    data = big_file.read_bytes()
    assert bytes(fake.blobs[file.sha256]) == data
    assert (file.path, file.size) == ("recording.wav", len(data))
    assert file.sha256 == hashlib.sha256(data).hexdigest()
    assert fake.uploaded_bytes == len(data)  # nothing twice
    assert told == sorted(told)
    assert told[-1] == len(data)


def test_an_upload_goes_on_where_it_stopped(fake: FakeJobs, fake_jobs: jobs.Jobs, big_file: Path):
    sha256 = hashlib.sha256(big_file.read_bytes()).hexdigest()
    fake.blobs[sha256] = bytearray(big_file.read_bytes()[: 2 * MIB])
    fake_jobs.upload(big_file)
    assert fake.uploaded_bytes == MIB + 12345
    fake_jobs.upload(big_file)  # the server knows the bytes
    assert fake.uploaded_bytes == MIB + 12345


def test_an_empty_file_is_a_blob_too(fake_jobs: jobs.Jobs, tmp_path: Path):
    (tmp_path / "empty").touch()
    assert fake_jobs.upload(tmp_path / "empty").size == 0


def test_damaged_chunks_are_sent_again(fake: FakeJobs, fake_jobs: jobs.Jobs, big_file: Path):
    fake.reject_checksums = {2}
    fake_jobs.upload(big_file)
    assert fake.uploaded_bytes == 3 * MIB + 12345
    fake.blobs.clear()
    fake.reject_checksums = set(range(1000))
    with pytest.raises(InvalidArgumentError) as caught:
        fake_jobs.upload(big_file)
    assert caught.value.reason == "BLOB_CHECKSUM_MISMATCH"


def test_giving_up_says_why(fake: FakeJobs, fake_jobs: jobs.Jobs, big_file: Path):
    fake.lost_answers = {"BeginUpload": set(range(1000))}
    with pytest.raises(UnavailableError, match="lost"):
        fake_jobs.upload(big_file)


def test_a_job_is_created_once_though_its_answer_is_lost(fake: FakeJobs, fake_jobs: jobs.Jobs):
    fake.lost_answers = {"Create": {1, 2}}
    job = fake_jobs.submit_train(CLIPS, model="my-cello", steps=100, overrides=["train.batch_size = 8"], seed=3)
    assert len(fake.jobs) == 1
    assert (job.kind, job.state, job.done) == ("train", JobState.QUEUED, False)
    assert job.create_time is not None
    assert job.create_time.isoformat() == "2023-11-14T22:13:20+00:00"
    spec = fake.jobs[job.name].spec.train
    assert (spec.model, spec.recipe, spec.steps, spec.seed) == ("my-cello", "vst", 100, 3)
    assert list(spec.overrides) == ["train.batch_size = 8"]
    assert [file.path for file in spec.data] == sorted(path.name for path in CLIPS.iterdir())
    assert all(len(fake.blobs[file.sha256]) == file.size for file in spec.data)


def test_jobs_of_every_kind_are_submitted(fake: FakeJobs, fake_jobs: jobs.Jobs):
    clip = CLIPS / "singing.wav"
    transfer = fake_jobs.submit_transfer(clip, model="violin", display_name="take 1", priority=-5)
    assert (transfer.kind, transfer.display_name, transfer.priority) == ("transfer", "take 1", -5)
    assert fake.jobs[transfer.name].spec.transfer.inputs[0].path == "singing.wav"
    assert fake_jobs.submit_render([clip], model="violin").kind == "render"
    features = fake_jobs.submit_features([clip, CLIPS / "speech_en.wav"], frame_rate=50)
    assert fake.jobs[features.name].spec.features.frame_rate_hz == 50
    again = [fake_jobs.submit_features(clip, request_id="mine").name for _ in range(2)]
    assert again[0] == again[1]


def test_folders_stand_for_their_files(tmp_path: Path):
    for name in ("b.wav", "a/c.wav", ".hidden", ".git/config", "a/.x"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(name)
    assert [name for _, name in files_of(tmp_path / "set")] == ["a/c.wav", "b.wav"]
    assert [name for _, name in files_of([tmp_path / "set" / ".hidden"])] == [".hidden"]  # asked for by name
    with pytest.raises(NotFoundError, match="nowhere"):
        files_of(tmp_path / "nowhere")
    (tmp_path / "none").mkdir()
    for nothing in (tmp_path / "none", []):
        with pytest.raises(InvalidArgumentError, match="no files"):
            files_of(nothing)
    with pytest.raises(InvalidArgumentError, match="both be 'b.wav'"):
        files_of([tmp_path / "set", tmp_path / "set" / "b.wav"])


def test_a_list_has_all_pages(fake_jobs: jobs.Jobs):
    names = [fake_jobs.submit_features(CLIPS / "singing.wav").name for _ in range(7)]
    assert [job.name for job in fake_jobs.list(page_size=3)] == names[::-1]


def test_a_watch_tells_every_change_once(fake: FakeJobs, fake_jobs: jobs.Jobs):
    job = fake_jobs.submit_features(CLIPS / "singing.wav")
    fake.watch_breaks_after = 3
    seen = list(fake_jobs.watch(job.name))
    assert [change.revision for change in seen] == list(range(1, 11))
    assert seen[-1].state is JobState.SUCCEEDED
    assert fake.calls["Watch"] == 4
    with pytest.raises(NotFoundError):
        list(fake_jobs.watch("jobs/none"))


def test_waiting_ends_with_the_job_or_the_timeout(fake_jobs: jobs.Jobs):
    job = fake_jobs.submit_features(CLIPS / "singing.wav")
    with pytest.raises(TimeoutError, match="queued"):
        fake_jobs.wait(job.name, timeout=0.01)
    fake_jobs.cancel(job.name)
    ended = fake_jobs.wait(job.name, timeout=10)
    assert ended.state is JobState.CANCELLED
    with pytest.raises(JobFailedError, match="cancelled"):
        ended.raise_for_state()


def test_logs_come_in_pages(fake: FakeJobs, fake_jobs: jobs.Jobs):
    job = fake_jobs.submit_features(CLIPS / "singing.wav")
    fake.log = [f"line {n}" for n in range(1, 2502)]
    assert [line.number for line in fake_jobs.logs(job.name)] == list(range(1, 2502))
    assert [line.text for line in fake_jobs.logs(job.name, after=2500)] == ["line 2501"]
    fake_jobs.cancel(job.name)
    assert len(list(fake_jobs.logs(job.name, follow=True))) == 2501


def finished(fake: FakeJobs, files: dict[str, bytes]) -> str:
    name = "jobs/transfer-1"
    job = pb.Job(name=name, state=pb.JOB_STATE_SUCCEEDED, done=True)
    for path, data in files.items():
        sha256 = hashlib.sha256(data).hexdigest()
        fake.blobs[sha256] = bytearray(data)
        job.result.files.add(path=path, sha256=sha256, size=len(data))
    fake.jobs[name] = job
    return name


def test_results_are_downloaded_and_resumed(fake: FakeJobs, fake_jobs: jobs.Jobs, tmp_path: Path):
    big = os.urandom(2 * MIB + 99)
    name = finished(fake, {"a/big.wav": big, "small.wav": b"x", "empty": b""})
    fake.lost_answers = {"DownloadChunk": {1}}
    fake.damaged_downloads = {2}
    # A download that was cut off left the first bytes.
    part = tmp_path / "a" / f"big.wav.{hashlib.sha256(big).hexdigest()[:16]}.part"
    part.parent.mkdir()
    part.write_bytes(big[:MIB])
    told: list[tuple[int, int]] = []
    paths = fake_jobs.download(name, tmp_path, progress=lambda *at: told.append(at))
    assert paths == [tmp_path / "a/big.wav", tmp_path / "small.wav", tmp_path / "empty"]
    assert [path.read_bytes() for path in paths] == [big, b"x", b""]
    assert told[-1] == (len(big) + 1, len(big) + 1)
    assert not part.exists()
    calls = fake.calls["DownloadChunk"]
    assert calls == 2 + 2 + 1  # two failures, two chunks, a small file
    fake_jobs.download(name, tmp_path)
    assert fake.calls["DownloadChunk"] == calls  # what is there and right is not fetched again


def test_a_damaged_beginning_is_fetched_again(fake: FakeJobs, fake_jobs: jobs.Jobs, tmp_path: Path):
    data = os.urandom(MIB)
    name = finished(fake, {"x": data})
    (tmp_path / f"x.{hashlib.sha256(data).hexdigest()[:16]}.part").write_bytes(b"rubbish")
    assert fake_jobs.download(name, tmp_path)[0].read_bytes() == data


def test_what_is_not_the_blob_is_no_result(fake: FakeJobs, fake_jobs: jobs.Jobs, tmp_path: Path):
    name = finished(fake, {"x": b"right"})
    fake.blobs[hashlib.sha256(b"right").hexdigest()] = bytearray(b"wrong")
    with pytest.raises(DataLossError, match="SHA-256"):
        fake_jobs.download(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_results_stay_in_their_folder(fake: FakeJobs, fake_jobs: jobs.Jobs, tmp_path: Path):
    for path in ("../evil", "/etc/evil", "a/../../evil", "", "a\\..\\evil"):
        with pytest.raises(DataLossError, match="leads out"):
            fake_jobs.download(finished(fake, {path: b"x"}), tmp_path)


def test_only_a_job_that_succeeded_has_a_result(fake: FakeJobs, fake_jobs: jobs.Jobs, tmp_path: Path):
    job = fake_jobs.submit_features(CLIPS / "singing.wav")
    with pytest.raises(NotFoundError, match="no result yet"):
        fake_jobs.download(job, tmp_path)
    fake.jobs[job.name].MergeFrom(pb.Job(state=pb.JOB_STATE_FAILED, done=True, error="silence"))
    with pytest.raises(JobFailedError, match="silence"):
        fake_jobs.download(job.name, tmp_path)


def test_the_asyncio_client_does_the_same(fake: FakeJobs, big_file: Path, tmp_path: Path):
    fake.lost_answers = {"UploadChunk": {2}, "Create": {1}}
    fake.watch_breaks_after = 4

    async def go() -> None:
        async with aio.Client(fake.address) as client:
            job = await client.jobs.submit_train(big_file, model="cello")
            assert len(fake.jobs) == 1
            assert [change.revision async for change in client.jobs.watch(job.name)] == list(range(1, 11))
            assert (await client.jobs.wait(job.name)).done
            assert [listed.name async for listed in client.jobs.list()] == [job.name]
            fake.log = ["one", "two"]
            assert [line.text async for line in client.jobs.logs(job.name, follow=True)] == ["one", "two"]
            paths = await client.jobs.download(finished(fake, {"a": b"1"}), tmp_path / "out")
            assert paths[0].read_bytes() == b"1"
            with pytest.raises(NotFoundError):
                await client.jobs.get("jobs/none")
            file = await client.jobs.upload(big_file)
            copy = await client.jobs.download_file(file, tmp_path / "copy")
            assert copy.read_bytes() == big_file.read_bytes()

    asyncio.run(go())


needs_jobs = pytest.mark.skipif(not serves_jobs(), reason="this server keeps no jobs")


@needs_jobs
def test_the_real_server_keeps_jobs(server: Server, client: Client, tmp_path: Path, big_file: Path):
    file = client.jobs.upload(big_file)
    assert client.jobs.download_file(file, tmp_path / "copy").read_bytes() == big_file.read_bytes()
    with pytest.raises(NotFoundError) as no_blob:
        client.jobs.download_file(JobFile("x", "0" * 64, 1), tmp_path / "x")
    assert no_blob.value.reason == "BLOB_NOT_FOUND"

    # Nobody works here: the job waits until it is cancelled.
    first = client.jobs.submit_features(CLIPS / "singing.wav", display_name="first", request_id="once")
    assert (first.kind, first.state) == ("features", JobState.QUEUED)
    assert client.jobs.submit_features(CLIPS / "singing.wav", display_name="first", request_id="once") == first
    with pytest.raises(AlreadyExistsError) as reused:
        client.jobs.submit_features(CLIPS / "speech_en.wav", request_id="once")
    assert reused.value.reason == "REQUEST_ID_REUSED"
    second = client.jobs.submit_transfer(CLIPS / "speech_en.wav", model="violin")
    assert [job.name for job in client.jobs.list(page_size=1)][:2] == [second.name, first.name]
    assert [job.name for job in client.jobs.list("kind = features AND state = QUEUED")] == [first.name]
    with pytest.raises(TimeoutError):
        client.jobs.wait(first.name, timeout=0.1)
    watch = client.jobs.watch(first.name)
    assert next(watch).state is JobState.QUEUED
    client.jobs.cancel(first.name)
    assert [job.state for job in watch] == [JobState.CANCELLED]
    assert client.jobs.wait(first.name).done
    assert list(client.jobs.logs(first.name, follow=True)) == []
    client.jobs.cancel(second.name)


@needs_jobs
def test_refusals_of_the_real_server_are_typed(client: Client):
    with pytest.raises(NotFoundError) as unknown:
        client.jobs.get("jobs/none")
    assert unknown.value.reason == "JOB_NOT_FOUND"
    with pytest.raises(DdspError) as wrong:
        client.jobs.submit_train(CLIPS / "singing.wav", model="Not A Name")
    assert wrong.value.reason == "INVALID_JOB_REQUEST"
    assert wrong.value.violations
    with pytest.raises(InvalidArgumentError):
        list(client.jobs.list("colour = green"))
