"""The client for asyncio.

async with ddsp_client.aio.Client("localhost:8001") as client:
    async for block in client.transfer(microphone, model="violin"):
        await play(block)
"""

from ddsp_client.aio.client import Client
from ddsp_client.aio.jobs import Jobs
from ddsp_client.aio.resuming import ResumingSession
from ddsp_client.aio.session import Session
from ddsp_client.aio.transfer import Transfer

__all__ = ["Client", "Jobs", "ResumingSession", "Session", "Transfer"]
