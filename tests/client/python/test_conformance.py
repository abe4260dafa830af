"""The list of promises names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from ddsp_server import SOURCE

PROMISES = (SOURCE / "tests/client/conformance.md").read_text("utf-8")
ROWS = [line.strip("|").split("|") for line in PROMISES.splitlines() if line.startswith("| ")][1:]


def names(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


def test_every_promise_has_tests_in_both_languages():
    python = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    cpp = "".join(path.read_text("utf-8") for path in (SOURCE / "tests/client").rglob("*_test.cc"))
    assert len(ROWS) > 20
    for promise, of_cpp, of_python in ROWS:
        assert names(of_cpp), promise
        assert names(of_python), promise
        for name in names(of_cpp):
            suite, _, test = name.partition(".")
            assert re.search(rf"TEST(_F|_P)?\({suite}, {test}\)", cpp), name
        for name in names(of_python):
            assert re.search(rf"^def {name}\(", python, re.M), name
