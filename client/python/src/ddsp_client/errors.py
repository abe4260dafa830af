"""What can go wrong. Every error has a code, and one that a server sent has a stable reason for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import grpc

from ddsp_client import _proto as pb

_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class FieldViolation:
    """A field of a request that is wrong, and why."""

    field: str
    description: str


@dataclass(frozen=True)
class ErrorDetails:
    """What a server says besides code and text."""

    reason: str = ""  # "CREDIT_EXCEEDED"
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)  # the values that the message mentions
    retry_delay: float | None = None  # seconds after which another attempt may succeed
    violations: tuple[FieldViolation, ...] = ()


class DdspError(Exception):
    """A call that failed. There is a subclass for each code."""

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN

    def __init__(self, message: str, details: ErrorDetails | None = None, code: grpc.StatusCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or ErrorDetails()
        if code is not None:
            self.code = code

    @property
    def reason(self) -> str:
        """Stable and in upper case, as proto/README.md lists them; empty where no server of ours said anything."""
        return self.details.reason

    @property
    def metadata(self) -> Mapping[str, str]:
        """The values that the message mentions."""
        return self.details.metadata

    @property
    def retry_delay(self) -> float | None:
        """Seconds after which another attempt may succeed; None where the server gives no hope."""
        return self.details.retry_delay

    @property
    def violations(self) -> tuple[FieldViolation, ...]:
        """Fields of the request that are wrong."""
        return self.details.violations

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.code.name}: {self.message}{reason}"


class CancelledError(DdspError):
    """This side cancelled the call."""

    code = grpc.StatusCode.CANCELLED


class InvalidArgumentError(DdspError):
    """The request is wrong; see `violations`."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class DeadlineExceededError(DdspError, TimeoutError):
    """The time was up."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFoundError(DdspError):
    """No such voice, job or blob."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(DdspError):
    """The name is taken."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDeniedError(DdspError):
    """The caller may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class UnauthenticatedError(DdspError):
    """The caller did not say who it is, or not credibly."""

    code = grpc.StatusCode.UNAUTHENTICATED


class ResourceExhaustedError(DdspError):
    """A limit was reached: credit, quota, the size of a message."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class FailedPreconditionError(DdspError):
    """Not in this state: a second config, a session that has ended."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AbortedError(DdspError):
    """The server ended the session: the client was silent for too long."""

    code = grpc.StatusCode.ABORTED


class OutOfRangeError(DdspError):
    """A gap or a repeat in the numbering."""

    code = grpc.StatusCode.OUT_OF_RANGE


class UnimplementedError(DdspError):
    """This server does not have the service."""

    code = grpc.StatusCode.UNIMPLEMENTED


class InternalError(DdspError):
    """A fault of the server."""

    code = grpc.StatusCode.INTERNAL


class UnavailableError(DdspError):
    """No server, no room, or it is about to stop; another attempt may succeed, see `retry_delay`."""

    code = grpc.StatusCode.UNAVAILABLE


class DataLossError(DdspError):
    """What came is not what was sent: a missing block, a wrong checksum."""

    code = grpc.StatusCode.DATA_LOSS


_BY_CODE: dict[grpc.StatusCode, type[DdspError]] = {kind.code: kind for kind in DdspError.__subclasses__()}


def _read_details(blob: bytes) -> ErrorDetails:
    try:
        status = pb.Status.FromString(blob)
    except Exception:  # bytes of somebody else: protobuf's implementations disagree on the type
        return ErrorDetails()
    reason, domain, metadata = "", "", {}
    delay: float | None = None
    violations: tuple[FieldViolation, ...] = ()
    for detail in status.details:
        name = detail.type_url.rpartition("/")[2]
        if name == "google.rpc.ErrorInfo":
            info = pb.ErrorInfo.FromString(detail.value)
            reason, domain, metadata = info.reason, info.domain, dict(info.metadata)
        elif name == "google.rpc.RetryInfo":
            wait = pb.RetryInfo.FromString(detail.value).retry_delay
            delay = wait.seconds + wait.nanos / 1e9
        elif name == "google.rpc.BadRequest":
            fields = pb.BadRequest.FromString(detail.value).field_violations
            violations = tuple(FieldViolation(entry.field, entry.description) for entry in fields)
    return ErrorDetails(reason, domain, metadata, delay, violations)


def make_error(code: grpc.StatusCode, message: str, details: ErrorDetails | None = None) -> DdspError:
    """The error of the class that belongs to `code`."""
    return _BY_CODE.get(code, DdspError)(message, details, code)


def from_call(
    code: grpc.StatusCode, message: str | None, trailers: Iterable[tuple[str, str | bytes]] | None
) -> DdspError:
    """The error of a call that ended with `code`, with what its trailing metadata says."""
    details = None
    for key, value in trailers or ():
        if key == _DETAILS and isinstance(value, bytes):
            details = _read_details(value)
    return make_error(code, message or "", details)
