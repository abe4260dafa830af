"""Load reports steer gRPC's own weighted round robin, as it is in the library."""

from __future__ import annotations

import json
import time

import grpc
import pytest
from conftest import VOICE, Server

from ddsp_client import Client, StreamOptions

METHOD = "inference.GRPCInferenceService/ServerLive"


def balanced(servers: list[Server], reports: str) -> grpc.Channel:
    policy = {
        "blackoutPeriod": "0s",
        "weightUpdatePeriod": "0.1s",
        "enableOobLoadReport": reports == "stream of reports",
        "oobReportingPeriod": "1s",
    }
    service_config = {"loadBalancingConfig": [{"weighted_round_robin": policy}]}
    target = "ipv4:" + ",".join(server.address for server in servers)
    return grpc.insecure_channel(target, options=[("grpc.service_config", json.dumps(service_config))])


@pytest.mark.parametrize("reports", ["trailers", "stream of reports"])
def test_weighted_round_robin_spares_the_busier_server(reports: str) -> None:
    """Three of four slots here, one of four there: a plain round robin would go to both alike."""
    with Server("--max-sessions=4") as busy, Server("--max-sessions=4") as calm:
        with Client(busy.address) as first, Client(calm.address) as second:
            sessions = [client.open(StreamOptions(model=VOICE)) for client in (first, first, first, second)]
            with balanced([busy, calm], reports) as channel:
                ask = channel.unary_unary(f"/{METHOD}", lambda request: request, lambda answer: answer)

                def share_of_the_calm() -> float:
                    before = [server.metric("grpc_server_call_started_total", method=METHOD) for server in (busy, calm)]
                    for _ in range(200):
                        ask(b"", wait_for_ready=True)
                    after = [server.metric("grpc_server_call_started_total", method=METHOD) for server in (busy, calm)]
                    return (after[1] - before[1]) / (sum(after) - sum(before))

                shares = [share_of_the_calm()]
                deadline = time.monotonic() + 60
                # A report tells of the second before it, and weights follow reports.
                while shares[-1] < 0.7 and time.monotonic() < deadline:
                    shares.append(share_of_the_calm())
                assert shares[-1] >= 0.7, shares
            for session in sessions:
                session.close()
