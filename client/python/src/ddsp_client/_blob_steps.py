"""Files to and from a server's store, whole or not at all, however often the connection is lost.

A blob is named by the SHA-256 of its bytes, so a transfer that was cut off goes on where it stopped when it is asked
for again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import grpc

from ddsp_client import _proto as pb
from ddsp_client._channel import BEGIN_UPLOAD, DOWNLOAD_CHUNK, UPLOAD_CHUNK
from ddsp_client._crc32c import crc32c
from ddsp_client._steps import Sleep, Steps, backoff, call, call_again
from ddsp_client.errors import DataLossError, DdspError, FailedPreconditionError
from ddsp_client.job import JobFile

CHUNK_BYTES = 1 << 20  # of the protocol
# In a row without a byte having moved.
_ATTEMPTS = 8
_PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
# Its position or existence is another than we believed: after a restart, or because somebody else sends it too.
_BEGIN_AGAIN = {"UPLOAD_OFFSET_MISMATCH", "BLOB_NOT_FOUND", "BLOB_CHECKSUM_MISMATCH"}

Progress = Callable[[int, int], None]  # bytes done, bytes in all


def hash_file(file: BinaryIO) -> Steps[tuple[str, int]]:
    """SHA-256 and size; lets others run in between."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(8 * CHUNK_BYTES):
        digest.update(piece)
        size += len(piece)
        yield Sleep(0)
    return digest.hexdigest(), size


def upload(path: Path, name: str, progress: Progress | None) -> Steps[JobFile]:
    """Sends what the server does not have of the file at `path`, which the job knows as `name`."""
    with path.open("rb") as file:
        sha256, size = yield from hash_file(file)
        failures = 0
        while True:
            try:
                status = yield from call_again(BEGIN_UPLOAD, pb.BeginUploadRequest(sha256=sha256, size=size))
                while not status.complete:
                    if progress is not None:
                        progress(status.offset, size)
                    status = yield from _send_chunk(file, sha256, status.offset)
                    failures = 0
                break
            except DdspError as error:
                failures += 1
                passing = error.code in _PASSING or error.reason in _BEGIN_AGAIN
                if not passing or failures == _ATTEMPTS:
                    raise
                if error.reason == "BLOB_CHECKSUM_MISMATCH" and (yield from hash_file(file)) != (sha256, size):
                    raise FailedPreconditionError(f"{path} changed while it was uploaded") from error
                yield Sleep(error.retry_delay or backoff(failures))
    if progress is not None:
        progress(size, size)
    return JobFile(name, sha256, size)


def _send_chunk(file: BinaryIO, sha256: str, offset: int) -> Steps[pb.UploadStatus]:
    file.seek(offset)
    data = file.read(CHUNK_BYTES)
    if not data:
        raise FailedPreconditionError(f"{file.name} changed while it was uploaded")
    request = pb.UploadChunkRequest(sha256=sha256, offset=offset, data=data, crc32c=crc32c(data))
    return (yield from call(UPLOAD_CHUNK, request))


def download(blob: JobFile, path: Path, progress: Progress | None) -> Steps[Path]:
    """Fetches a blob into `path`, through a file beside it that stays for the next time when this is cut off."""
    if path.is_file() and path.stat().st_size == blob.size:
        with path.open("rb") as file:
            if (yield from hash_file(file))[0] == blob.sha256:
                return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{blob.sha256[:16]}.part")
    # What lay there already may be damaged; what has just come may not.
    for _ in range(2):
        with part.open("r+b" if part.exists() else "w+b") as file:
            yield from _fetch(blob, file, progress)
            good = (yield from hash_file(file))[0] == blob.sha256
        if good:
            part.replace(path)
            return path
        part.unlink()
    raise DataLossError(f"{path}: what the server sends has not SHA-256 {blob.sha256}")


def _fetch(blob: JobFile, file: BinaryIO, progress: Progress | None) -> Steps[None]:
    offset = file.seek(0, 2)
    failures = 0
    while offset != blob.size:
        if offset > blob.size:
            offset = 0
            file.truncate(0)
        try:
            request = pb.DownloadChunkRequest(sha256=blob.sha256, offset=offset, max_bytes=CHUNK_BYTES)
            chunk = yield from call(DOWNLOAD_CHUNK, request)
            if crc32c(chunk.data) != chunk.crc32c or not chunk.data:
                raise DataLossError("bytes were damaged on their way")
        except DdspError as error:
            failures += 1
            damaged = isinstance(error, DataLossError) and not error.reason
            if not (damaged or error.code in _PASSING) or failures == _ATTEMPTS:
                raise
            yield Sleep(error.retry_delay or backoff(failures))
            continue
        failures = 0
        file.seek(offset)
        file.write(chunk.data)
        offset += len(chunk.data)
        if progress is not None:
            progress(offset, blob.size)
