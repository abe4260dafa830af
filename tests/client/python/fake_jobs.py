"""A server of jobs in this process, with faults on demand: what networks and disks do at their worst."""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent import futures
from typing import Any

import grpc

from ddsp_client import _channel as channel
from ddsp_client import _proto as pb
from ddsp_client._crc32c import crc32c


class FakeJobs:
    """Keeps blobs and jobs in memory."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytearray] = {}
        self.sizes: dict[str, int] = {}
        self.jobs: dict[str, pb.Job] = {}
        self.by_request: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.uploaded_bytes = 0
        # Method -> numbers of the calls (from 1) that fail, after they were carried out.
        self.lost_answers: dict[str, set[int]] = {}
        self.damaged_downloads: set[int] = set()
        self.reject_checksums: set[int] = set()
        self.watch_breaks_after = 0  # changes; 0: never
        self.log: list[str] = []
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        self._server.add_generic_rpc_handlers((self._handlers(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def stop(self) -> None:
        self._server.stop(None)

    def _handlers(self) -> grpc.GenericRpcHandler:
        def unary(method: channel.Method, call: Any) -> grpc.RpcMethodHandler:
            name = method.path.rpartition("/")[2]

            def answer(request: Any, context: grpc.ServicerContext) -> Any:
                self.calls[name] += 1
                response = call(request, context)
                if self.calls[name] in self.lost_answers.get(name, ()):
                    context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was lost")
                return response

            return grpc.unary_unary_rpc_method_handler(
                answer, request_deserializer=method.request.FromString, response_serializer=channel.serialize
            )

        methods = {
            channel.BEGIN_UPLOAD: self._begin,
            channel.UPLOAD_CHUNK: self._upload,
            channel.DOWNLOAD_CHUNK: self._download,
            channel.CREATE_JOB: self._create,
            channel.GET_JOB: lambda request, context: self._job(request.name, context),
            channel.CANCEL_JOB: self._cancel,
            channel.LIST_JOBS: self._list,
            channel.WAIT_JOB: lambda request, context: self._job(request.name, context),
            channel.LIST_LOG_LINES: self._lines,
        }
        handlers = {method.path.rpartition("/")[2]: unary(method, call) for method, call in methods.items()}
        handlers["Watch"] = grpc.unary_stream_rpc_method_handler(
            self._watch, request_deserializer=pb.WatchJobRequest.FromString, response_serializer=channel.serialize
        )
        return grpc.method_handlers_generic_handler("ddsp.v1.Jobs", handlers)

    def _fail(self, context: grpc.ServicerContext, code: grpc.StatusCode, reason: str) -> None:
        status = pb.Status(code=code.value[0], message=reason)
        info = pb.ErrorInfo(reason=reason).SerializeToString()
        status.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=info)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(code, reason)

    def _status(self, sha256: str) -> pb.UploadStatus:
        blob = self.blobs[sha256]
        return pb.UploadStatus(offset=len(blob), complete=len(blob) == self.sizes[sha256])

    def _begin(self, request: Any, context: grpc.ServicerContext) -> pb.UploadStatus:
        self.blobs.setdefault(request.sha256, bytearray())
        self.sizes[request.sha256] = request.size
        return self._status(request.sha256)

    def _upload(self, request: Any, context: grpc.ServicerContext) -> pb.UploadStatus:
        blob = self.blobs[request.sha256]
        if request.offset != len(blob):
            self._fail(context, grpc.StatusCode.OUT_OF_RANGE, "UPLOAD_OFFSET_MISMATCH")
        if crc32c(request.data) != request.crc32c or self.calls["UploadChunk"] in self.reject_checksums:
            self._fail(context, grpc.StatusCode.INVALID_ARGUMENT, "BLOB_CHECKSUM_MISMATCH")
        blob.extend(request.data)
        self.uploaded_bytes += len(request.data)
        if len(blob) == self.sizes[request.sha256]:
            assert hashlib.sha256(blob).hexdigest() == request.sha256
        return self._status(request.sha256)

    def _download(self, request: Any, context: grpc.ServicerContext) -> pb.DownloadChunkResponse:
        if request.sha256 not in self.blobs:
            self._fail(context, grpc.StatusCode.NOT_FOUND, "BLOB_NOT_FOUND")
        blob = bytes(self.blobs[request.sha256])
        data = blob[request.offset : request.offset + request.max_bytes]
        checksum = crc32c(data) ^ (self.calls["DownloadChunk"] in self.damaged_downloads)
        return pb.DownloadChunkResponse(data=data, crc32c=checksum, size=len(blob))

    def _job(self, name: str, context: grpc.ServicerContext) -> pb.Job:
        if name not in self.jobs:
            self._fail(context, grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")
        return self.jobs[name]

    def _create(self, request: Any, context: grpc.ServicerContext) -> pb.Job:
        if request.request_id not in self.by_request:
            name = f"jobs/{request.spec.WhichOneof('kind')}-{len(self.jobs):016x}"
            self.by_request[request.request_id] = name
            self.jobs[name] = pb.Job(
                name=name,
                spec=request.spec,
                display_name=request.display_name,
                priority=request.priority,
                state=pb.JOB_STATE_QUEUED,
                revision=1,
            )
            self.jobs[name].create_time.seconds = 1_700_000_000
        return self.jobs[self.by_request[request.request_id]]

    def _cancel(self, request: Any, context: grpc.ServicerContext) -> pb.Job:
        job = self._job(request.name, context)
        job.state, job.done, job.revision = pb.JOB_STATE_CANCELLED, True, job.revision + 1
        return job

    def _list(self, request: Any, context: grpc.ServicerContext) -> pb.ListJobsResponse:
        names = sorted(self.jobs, reverse=True)
        begin = int(request.page_token or 0)
        end = begin + request.page_size
        token = str(end) if end < len(names) else ""
        return pb.ListJobsResponse(jobs=[self.jobs[name] for name in names[begin:end]], next_page_token=token)

    def _lines(self, request: Any, context: grpc.ServicerContext) -> pb.ListLogLinesResponse:
        numbers = range(request.after + 1, min(len(self.log), request.after + request.max_lines) + 1)
        return pb.ListLogLinesResponse(lines=[pb.LogLine(number=n, text=self.log[n - 1]) for n in numbers])

    def _watch(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.calls["Watch"] += 1
        job = self._job(request.name, context)
        for told, revision in enumerate(range(request.after_revision + 1, 11), 1):
            job.revision, job.done = revision, revision == 10
            job.state = pb.JOB_STATE_SUCCEEDED if job.done else pb.JOB_STATE_RUNNING
            job.progress.done = revision
            yield job
            if told == self.watch_breaks_after:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was lost")
