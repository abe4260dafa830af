"""Drives steps on an event loop."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import grpc
import grpc.aio

from ddsp_client._channel import serialize
from ddsp_client._steps import Call, Sleep, Steps, error_of
from ddsp_client.errors import DdspError

T = TypeVar("T")


async def _invoke(channel: grpc.aio.Channel, step: Call) -> Any:
    method: Any = channel.unary_unary(
        step.method.path, request_serializer=serialize, response_deserializer=step.method.read
    )
    try:
        return await method(step.request, timeout=step.timeout)
    except grpc.RpcError as failure:
        raise error_of(failure) from None


async def run(channel: grpc.aio.Channel, steps: Steps[T]) -> T:
    """Drives `steps` to their end."""
    answer: Any = None
    error: DdspError | None = None
    try:
        while True:
            step = steps.send(answer) if error is None else steps.throw(error)
            answer, error = None, None
            if isinstance(step, Sleep):
                await asyncio.sleep(step.seconds)
                continue
            try:
                answer = await _invoke(channel, step)
            except DdspError as failed:
                error = failed
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()
