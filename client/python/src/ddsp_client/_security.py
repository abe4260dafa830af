"""How a client proves who it is, and the server to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc

# Addresses from which nothing leaves this machine.
_LOCAL = re.compile(r"(dns:///|dns:|ipv4:|ipv6:)?(127\.|localhost(:|$)|\[::1\])|unix:")


@dataclass(frozen=True)
class Security:
    """What channels are made with."""

    credentials: grpc.ChannelCredentials | None  # None: plain text
    metadata: tuple[tuple[str, str], ...]


def _read(pem: str | Path | bytes) -> bytes:
    return pem if isinstance(pem, bytes) else Path(pem).read_bytes()


def make_security(
    servers: list[str],
    *,
    tls: bool,
    ca: str | Path | bytes | None,
    certificate: tuple[str | Path | bytes, str | Path | bytes] | None,
    token: str | None,
    credentials: grpc.ChannelCredentials | None,
    metadata: Mapping[str, str] | None,
) -> Security:
    """Of a client's arguments. Raises ValueError for a token that would go to another machine in plain text."""
    extra = tuple((metadata or {}).items())
    if credentials is None and (tls or ca is not None or certificate is not None):
        chain, key = (None, None) if certificate is None else (_read(certificate[0]), _read(certificate[1]))
        credentials = grpc.ssl_channel_credentials(None if ca is None else _read(ca), key, chain)
    if token is None:
        return Security(credentials, extra)
    if credentials is not None:
        calls = grpc.access_token_call_credentials(token.strip())
        return Security(grpc.composite_channel_credentials(credentials, calls), extra)
    for server in servers:
        if not _LOCAL.match(server):
            raise ValueError(f"the token would go to {server} in plain text: use tls or ca")
    return Security(None, (*extra, ("authorization", f"Bearer {token.strip()}")))
