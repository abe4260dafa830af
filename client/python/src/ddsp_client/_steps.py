"""Work that consists of calls, written once as a generator and driven by a synchronous or an asyncio client.

A generator yields Calls, Sleeps and Watches and is sent their answers; errors are thrown into it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from ddsp_client._channel import Method, Request, Response, serialize
from ddsp_client.errors import DdspError, from_call

T = TypeVar("T")

_ATTEMPTS = 6
_FIRST_DELAY, _LONGEST_DELAY = 0.2, 5.0


@dataclass(frozen=True)
class Call:
    """One request, one answer."""

    method: Method[Any, Any]
    request: Any
    timeout: float | None


@dataclass(frozen=True)
class Sleep:
    """Time to wait."""

    seconds: float


Steps = Generator[Call | Sleep, Any, T]


def call(method: Method[Request, Response], request: Request, timeout: float | None = 60) -> Steps[Response]:
    """Calls once."""
    response: Response = yield Call(method, request, timeout)
    return response


def call_again(method: Method[Request, Response], request: Request, timeout: float | None = 60) -> Steps[Response]:
    """Calls until it is answered: for calls that may be repeated. Gives up after some seconds."""
    for attempt in range(_ATTEMPTS):
        try:
            return (yield from call(method, request, timeout))
        except DdspError as error:
            if error.code is not grpc.StatusCode.UNAVAILABLE or attempt == _ATTEMPTS - 1:
                raise
            yield Sleep(error.retry_delay or backoff(attempt))
    raise AssertionError("the last attempt returns or raises")


def backoff(attempt: int) -> float:
    """Seconds before the attempt after `attempt`, with jitter: many clients must not come back at once."""
    return float(min(_LONGEST_DELAY, _FIRST_DELAY * 2**attempt) * random.uniform(0.5, 1.0))


def error_of(failure: Any) -> DdspError:
    """The error of a grpc.RpcError, which is a call too."""
    return from_call(failure.code(), failure.details(), failure.trailing_metadata())


def _invoke(channel: grpc.Channel, step: Call) -> Any:
    method: Any = channel.unary_unary(
        step.method.path, request_serializer=serialize, response_deserializer=step.method.read
    )
    try:
        return method(step.request, timeout=step.timeout)
    except grpc.RpcError as failure:
        raise error_of(failure) from None


def run(channel: grpc.Channel, steps: Steps[T]) -> T:
    """Drives `steps` to their end."""
    answer: Any = None
    error: DdspError | None = None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer, error = None, None
            if isinstance(step, Sleep):
                time.sleep(step.seconds)
                continue
            try:
                answer = _invoke(channel, step)
            except DdspError as failed:
                error = failed
    except StopIteration as end:
        result: T = end.value
        return result
