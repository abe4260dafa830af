"""Which server is next, and whether the present one lives. Knows no transport, no thread and no clock."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence

import grpc

from ddsp_client.errors import DdspError, InvalidArgumentError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


def split_servers(target: str) -> list[str]:
    """ "a:1,b:2" and "ipv4:1.2.3.4:1,1.2.3.5:2" as one address each; InvalidArgumentError for an empty one."""
    scheme = next((listed for listed in ("ipv4:", "ipv6:") if target.startswith(listed)), "")
    parts = target.removeprefix(scheme).split(",")
    if not all(parts):
        raise InvalidArgumentError(f"{target!r} has an empty address")
    return [scheme + part for part in parts]


def resolve_servers(servers: Sequence[str]) -> list[str]:
    """The addresses behind the servers now: "dns:///name:port" becomes each that the name has. Blocks while it asks."""
    addresses: list[str] = []
    for server in servers:
        found: list[str] = []
        if server.startswith("dns:///"):
            host, _, port = server.removeprefix("dns:///").rpartition(":")
            try:
                for family, *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                    host = str(place[0])
                    ip = f"ipv6:[{host}]" if family == socket.AF_INET6 else f"ipv4:{host}"
                    found.append(f"{ip}:{place[1]}")
            except OSError:
                pass  # to be tried by gRPC, whose error tells more
        addresses += list(dict.fromkeys(found)) or [server]
    return addresses


def may_pass(error: DdspError) -> bool:
    """Whether the same attempt may succeed later."""
    return error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def another_may_go_on(error: DdspError) -> bool:
    """A server is full, stops or is gone. A broken connection has many codes, but never the reason of an own error."""
    if error.code is grpc.StatusCode.UNAVAILABLE:
        return True
    of_transport = error.code in (
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )
    return of_transport and not error.reason


class ServerRotation:
    """A session that loses its server goes to the others at once, and to its old one last; then there is a pause."""

    def __init__(self, addresses: Sequence[str], give_up_after: float) -> None:
        self.current = addresses[0]
        self._give_up_after = give_up_after
        self._round: list[str] = []
        self._in_series = False
        self._hope = False  # an error of this round may pass
        self._pause = _FIRST_PAUSE
        self._failing_since: float | None = None

    def next(self, error: DdspError, addresses: Sequence[str], now: float) -> float | None:
        """Makes `current` the server to go to; says after what pause. None: give up."""
        pause: float | None = 0.0
        if not self._in_series:
            self._in_series = True
            self._begin_round(addresses)
        else:
            self._hope |= may_pass(error)
            if not self._round:
                pause = self._longer_pause(error, now) if self._hope else None
                self._begin_round(addresses)
        if pause is not None:
            self.current = self._round.pop(0)
        return pause

    def reset(self) -> None:
        """The session goes well: the next failure begins a new series."""
        self._in_series = False
        self._pause = _FIRST_PAUSE
        self._failing_since = None

    def _begin_round(self, addresses: Sequence[str]) -> None:
        self._round = list(addresses)
        self._hope = False
        if self.current in self._round:  # on from it; it comes last
            at = self._round.index(self.current) + 1
            self._round = self._round[at:] + self._round[:at]

    def _longer_pause(self, error: DdspError, now: float) -> float | None:
        self._failing_since = now if self._failing_since is None else self._failing_since
        # Many clients that lost one server should not come back together.
        pause = max(min(self._pause * random.uniform(0.8, 1.2), _LONGEST_PAUSE), error.retry_delay or 0.0)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return pause if now + pause - self._failing_since <= self._give_up_after else None


class Liveness:
    """When to ask the other side for a sign of life, and when to give it up.

    Silence counts in steps from look to look, each at most one ping interval long: if this side did not run for a
    while, the other one is not to blame.
    """

    def __init__(self, ping_interval: float, dead_after: float, now: float) -> None:
        self._ping_interval = ping_interval
        self._dead_after = dead_after
        self.heard(now)

    def heard(self, now: float) -> None:
        """Something came."""
        self.last_heard = self._last_look = now
        self._silence = self._asked_at = 0.0

    def look(self, now: float) -> str:
        """ "alive", "ask" or "dead"."""
        self._silence += min(now - self._last_look, self._ping_interval)
        self._last_look = now
        if self._silence >= self._dead_after:
            return "dead"
        if self._silence - self._asked_at < self._ping_interval:
            return "alive"
        self._asked_at = self._silence
        return "ask"

    @property
    def next_look(self) -> float:
        """When the verdict can be another one."""
        return self._last_look + min(self._asked_at + self._ping_interval, self._dead_after) - self._silence
