"""A real server for the tests, on ports of its choice."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3]
BIN = Path(os.environ.get("DDSP_BIN", SOURCE / "build" / "release" / "bin"))


class Server:
    """A ddsp-server process."""

    def __init__(
        self, *flags: str, repository: Path | str = SOURCE / "models", env: Mapping[str, str] | None = None
    ) -> None:
        self.log: list[str] = []
        self._ready = threading.Event()
        self.process = subprocess.Popen(
            [
                BIN / "ddsp-server",
                f"--model-repository={repository}",
                "--listen=127.0.0.1:0",
                "--metrics-listen=127.0.0.1:0",
                "--admin-listen=127.0.0.1:0",
                # Tests run beside each other, and a busy machine is no reason to refuse a session.
                "--max-device-load=0",
                *flags,
            ],
            env=env,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read_log, daemon=True).start()
        if not self._ready.wait(120) or self.process.poll() is not None:
            self.stop()
            raise RuntimeError("the server did not start: " + "".join(self.log))
        ports = re.search(r"serving on port (\d+), metrics on (\d+), admin on (\d+)", "".join(self.log))
        assert ports, self.log
        self.address, self._metrics, self.admin = (f"127.0.0.1:{port}" for port in ports.groups())

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.log.append(line)
            if "serving on port" in line:
                self._ready.set()
        self._ready.set()

    def metrics(self) -> str:
        """A scrape."""
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's values whose labels include these."""
        total = 0.0
        for line in self.metrics().splitlines():
            match = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
                total += float(match[2])
        return total

    def stop(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serves_jobs() -> bool:
    """Whether this build of the server keeps jobs."""
    answer = subprocess.run([BIN / "ddsp-server", "--help"], capture_output=True, text=True, check=True)
    return "--data-dir" in answer.stdout
