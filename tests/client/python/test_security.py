"""A server with TLS and tokens, and who gets in."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import VOICE
from ddsp_server import Server
from secured_folder import secure

import ddsp_client
from ddsp_client import Client, PermissionDeniedError, UnauthenticatedError, aio

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not there to make certificates")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("security")


@pytest.fixture(scope="module")
def secured(folder: Path) -> Iterator[Server]:
    server = Server(*secure(folder, {"player": "STREAM", "publisher": "PUBLISH"}))
    yield server
    server.stop()


SOUND = np.zeros(1600, np.float32)


def test_a_token_plays_over_tls(secured: Server, folder: Path) -> None:
    with Client(secured.address, ca=folder / "tls.crt", token="player\n") as client:
        assert sum(len(block) for block in client.transfer(SOUND, model=VOICE)) >= len(SOUND)
        assert len(client.render(SOUND, model=VOICE).audio) >= len(SOUND)


def test_asyncio_does_too(secured: Server, folder: Path) -> None:
    async def play() -> int:
        async with aio.Client(secured.address, ca=(folder / "tls.crt").read_bytes(), token="player") as client:
            return len((await client.render(SOUND, model=VOICE)).audio)

    assert asyncio.run(play()) >= len(SOUND)


def test_refusals_have_their_classes(secured: Server, folder: Path) -> None:
    for token, error, reason in (
        (None, UnauthenticatedError, "TOKEN_MISSING"),
        ("nobody", UnauthenticatedError, "TOKEN_INVALID"),
        ("publisher", PermissionDeniedError, "ROLE_MISSING"),
    ):
        with Client(secured.address, ca=folder / "tls.crt", token=token) as client:
            with pytest.raises(error) as caught:
                client.features(SOUND)
            assert caught.value.reason == reason
            with pytest.raises(error) as caught:
                list(client.transfer(SOUND, model="no-such-voice"))
            assert caught.value.reason == reason


def test_without_its_authority_a_server_is_not_trusted(secured: Server) -> None:
    with Client(secured.address, tls=True, token="player", attempts=1) as client:
        with pytest.raises(ddsp_client.UnavailableError):
            client.features(SOUND, timeout=20)


def test_a_token_goes_to_no_other_machine_in_plain_text() -> None:
    for address in ("violins.example:8001", "10.0.0.1:8001", "localhost:8001,violins.example:8001"):
        with pytest.raises(ValueError, match="plain text"):
            Client(address, token="player")
    Client("localhost:1", token="player").close()
