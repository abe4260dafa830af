"""Whole recordings at once."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conftest import VOICE, read_clip
from ddsp_server import BIN, SOURCE
from ddsp_client import Client, InvalidArgumentError, NotFoundError, ResourceExhaustedError, TimbreAdjustment


def test_render_gives_what_a_stream_gives(client: Client, melody: np.ndarray):
    rendering = client.render(melody, model=VOICE, seed=3, sample_rate=44100)
    stream = np.concatenate(list(client.transfer(melody, model=VOICE, seed=3, sample_rate=44100)))
    assert np.array_equal(rendering.audio, stream)
    assert rendering.started.model == f"{VOICE}/1"


def test_a_recording_beyond_one_message_goes_as_a_stream(client: Client, melody: np.ndarray):
    long = np.tile(melody, 18)  # 4.6 MB
    rendering = client.render(long, model=VOICE, output="audio+features")
    assert len(rendering.audio) == len(long) + rendering.started.tail_samples
    short = client.render(melody, model=VOICE, tail=False).audio[:60000]
    assert np.abs(rendering.audio[:60000] - short).max() <= 1e-5
    assert rendering.features is not None
    assert len(rendering.features) >= len(long) // 320


def test_render_returns_features_where_asked(client: Client, melody: np.ndarray):
    features = client.render(melody[:16000], model=VOICE, output="audio+features").features
    assert features is not None
    assert len(features) >= 50
    assert len(features.power_db) == len(features.voiced) == len(features)
    assert features.times[1] == 1 / features.frame_rate
    assert client.render(melody[:16000], model=VOICE).features is None


def test_render_adjusts_to_the_voice(client: Client, melody: np.ndarray):
    plain = client.render(melody, model=VOICE, tail=False)
    adjusted = client.render(melody, model=VOICE, tail=False, adjust=TimbreAdjustment(autotune=0.5))
    assert len(adjusted.audio) == len(plain.audio)
    assert not np.array_equal(adjusted.audio, plain.audio)
    with pytest.raises(InvalidArgumentError, match="autotune is 1.5"):
        client.render(melody, model=VOICE, adjust=TimbreAdjustment(autotune=1.5))
    with pytest.raises(ResourceExhaustedError, match="4 MiB"):
        client.render(np.zeros(1 << 20, np.float32), model=VOICE, adjust=TimbreAdjustment())


def test_controls_are_rendered(client: Client):
    f0 = 220 * 2 ** (np.arange(500) / 500)
    rendering = client.render_controls(f0, np.full(500, -20), model=VOICE, tail=False)
    assert len(rendering.audio) == 500 * 320
    assert np.abs(rendering.audio).max() > 1e-3
    with pytest.raises(InvalidArgumentError, match="500 frames, loudness_db 1"):
        client.render_controls(f0, [-20], model=VOICE)


def test_features_are_those_of_the_command_line(client: Client, tmp_path: Path):
    out = tmp_path / "features.csv"
    recording = SOURCE / "testdata/audio/clips/flute_phrase.wav"
    subprocess.run([BIN / "ddsp", "features", recording, "--out", out], check=True, capture_output=True)
    rows = list(csv.DictReader(out.open()))
    features = client.features(read_clip("flute_phrase.wav"))
    assert len(features) == len(rows)
    column = next(name for name in rows[0] if name.startswith("f0_hz"))
    assert np.allclose(features.f0_hz, [float(row[column]) for row in rows], rtol=1e-5)
    same = client.features(read_clip("flute_phrase.wav") / np.float32(32768))
    assert np.array_equal(features.f0_hz, same.f0_hz)
    assert np.allclose(features.times, np.arange(len(features)) / 100)


def test_errors_are_those_of_a_session(client: Client, melody: np.ndarray):
    with pytest.raises(NotFoundError) as caught:
        client.render(melody, model="theremin")
    assert caught.value.reason == "MODEL_NOT_FOUND"
    with pytest.raises(InvalidArgumentError) as bad:
        client.render(np.full(100, np.nan, np.float32), model=VOICE)
    assert bad.value.reason == "AUDIO_NOT_FINITE"
    with pytest.raises(ResourceExhaustedError, match="4 MiB"):
        client.features(np.zeros(1 << 20, np.float32))
    with pytest.raises(InvalidArgumentError):
        client.features(melody, frame_rate=77)
