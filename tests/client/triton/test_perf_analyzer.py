"""Triton's `perf_analyzer`, as the wheel tritonclient 2.44.0 has it, profiles sequences of a voice."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conftest import VOICE
from ddsp_server import Server

HOP = 320

MODES = {
    "sequences, one at a time": ["--streaming", "--async", "--concurrency-range=1"],
    "sequences side by side": ["--streaming", "--async", "--concurrency-range=4", "--sequence-length=10"],
    "sequences at a rate": ["--streaming", "--async", "--request-rate-range=100", "--num-of-sequences=4"],
}


@pytest.mark.parametrize("mode", MODES)
def test_a_profile_completes(server: Server, singing: np.ndarray, tmp_path: Path, mode: str):
    report, data = tmp_path / "report.csv", tmp_path / "data.json"
    # Without data of ours it would make up numbers for the optional inputs too, which no voice can take.
    hops = singing[: 50 * HOP].reshape(-1, HOP)
    data.write_text(json.dumps({"data": [[{"audio": {"content": hop.tolist(), "shape": [HOP]}} for hop in hops]]}))
    flags = ["-m", VOICE, "-i", "grpc", "-u", server.address, f"--input-data={data}", "--measurement-mode=count_windows"]
    # Stable or not is a matter of the machine; whether it completes is ours.
    flags += ["--measurement-request-count=50", "--max-trials=3", "--stability-percentage=999", "-f", str(report)]
    done = subprocess.run(
        [os.environ["PERF_ANALYZER"], *flags, *MODES[mode]], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with report.open() as rows:
        row = next(csv.DictReader(rows))
    assert float(row["Inferences/Second"]) > 10
    # What it reads out of ModelStatistics.
    assert float(row["Server Compute Infer"]) > 0
