"""Channels and the methods of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ddsp_client import _proto as pb

Request = TypeVar("Request")
Response = TypeVar("Response")

MAX_REQUEST_BYTES = 4 << 20  # that servers take
_MAX_ANSWER_BYTES = 64 << 20


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """A method: where it is and what it takes and gives."""

    path: str
    request: type[Request]
    response: type[Response]

    def read(self, data: bytes) -> Response:
        """A message off the wire."""
        response: Response = self.response.FromString(data)  # type: ignore[attr-defined]
        return response


def serialize(message: Any) -> bytes:
    """A message for the wire."""
    data: bytes = message.SerializeToString()
    return data


STREAM_SESSION = Method("/ddsp.v1.Synthesis/StreamSession", pb.StreamSessionRequest, pb.StreamSessionResponse)
RENDER = Method("/ddsp.v1.Synthesis/Render", pb.RenderRequest, pb.RenderResponse)
EXTRACT = Method("/ddsp.v1.Features/Extract", pb.ExtractRequest, pb.ExtractResponse)

CREATE_JOB = Method("/ddsp.v1.Jobs/Create", pb.CreateJobRequest, pb.Job)
GET_JOB = Method("/ddsp.v1.Jobs/Get", pb.GetJobRequest, pb.Job)
LIST_JOBS = Method("/ddsp.v1.Jobs/List", pb.ListJobsRequest, pb.ListJobsResponse)
CANCEL_JOB = Method("/ddsp.v1.Jobs/Cancel", pb.CancelJobRequest, pb.Job)
WAIT_JOB = Method("/ddsp.v1.Jobs/Wait", pb.WaitJobRequest, pb.Job)
WATCH_JOB = Method("/ddsp.v1.Jobs/Watch", pb.WatchJobRequest, pb.Job)
LIST_LOG_LINES = Method("/ddsp.v1.Jobs/ListLogLines", pb.ListLogLinesRequest, pb.ListLogLinesResponse)
BEGIN_UPLOAD = Method("/ddsp.v1.Jobs/BeginUpload", pb.BeginUploadRequest, pb.UploadStatus)
UPLOAD_CHUNK = Method("/ddsp.v1.Jobs/UploadChunk", pb.UploadChunkRequest, pb.UploadStatus)
DOWNLOAD_CHUNK = Method("/ddsp.v1.Jobs/DownloadChunk", pb.DownloadChunkRequest, pb.DownloadChunkResponse)


def target_of(servers: Sequence[str]) -> str:
    """One target of gRPC's for all servers where it has one, which are addresses in figures; else for the first."""
    if all(re.fullmatch(r"(ipv4:)?\d+\.\d+\.\d+\.\d+:\d+", server) for server in servers) and len(servers) > 1:
        return "ipv4:" + ",".join(server.removeprefix("ipv4:") for server in servers)
    return servers[0]


def channel_options(attempts: int) -> list[tuple[str, Any]]:
    """Of a channel whose sessions are tried `attempts` times where a server refuses them before they begin.

    Sessions are spread over all addresses that a name has, so that another attempt goes to another replica.
    """
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if attempts > 1:
        config["methodConfig"] = [
            {
                "name": [{"service": "ddsp.v1.Synthesis"}, {"service": "ddsp.v1.Features"}],
                "retryPolicy": {
                    "maxAttempts": min(attempts, 5),
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    return [
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
        ("grpc.service_config", json.dumps(config)),
    ]
