#!/usr/bin/env python3
"""material.py RENDERED OUT: what the pitch network is trained on and scored with, from what render.py rendered.

RENDERED holds the folders train, more, score and score3 (README.md). OUT gets, per item of the lists below, NAME.wav (16 kHz,
mono, float), NAME.npz (pitch and voicing at every hop), and a line `HOP NAME` in OUT/hops.txt. The noise, and with it every
sample, is the same for the same recordings: an item that is left out changes the noise of those after it.
"""
import argparse
import os
import struct
import wave
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly

import synthetic

RATE = 16000
INSTRUMENTS = ['violin', 'tenor_sax', 'flute', 'trumpet']
MORE = ['altosax', 'barisax', 'bassoon', 'cello', 'choir', 'clarinet', 'enghorn', 'harmonica', 'horn', 'muted', 'nylon', 'oboe',
        'ocarina', 'ooh', 'panflute', 'recorder', 'sopsax', 'synlead', 'trombone', 'tuba', 'viola']
# A chorus, out of tune with itself, and a plucked string.
UNUSED = ['choir', 'nylon']
# Also brought down by 8:5.
ALSO_LOW = ['altosax', 'bassoon', 'cello', 'viola', 'trombone', 'ooh']


def pink_noise(samples, random):
    """From 20 Hz on; its level is no matter."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    k = np.arange(len(spectrum))
    spectrum[1:] /= np.sqrt(k[1:])
    spectrum[:int(20 * samples / RATE)] = 0
    return np.fft.irfft(spectrum, samples)


def add_pink_noise(x, snr_db, random):
    noise = pink_noise(len(x), random)
    return x + noise * np.sqrt((x ** 2).mean() / (noise ** 2).mean() * 10 ** (-snr_db / 10))


def read_wav(path):
    with wave.open(path) as w:
        return np.frombuffer(w.readframes(w.getnframes()), np.int16).astype(np.float64) / 32768


def write_wav(path, samples):
    data = samples.astype('<f4').tobytes()
    with open(path, 'wb') as f:
        f.write(b'RIFF' + struct.pack('<I', 36 + len(data)) + b'WAVEfmt ' +
                struct.pack('<IHHIIHH', 16, 3, 1, RATE, 4 * RATE, 4, 32) + b'data' + struct.pack('<I', len(data)) + data)


class Material:
    def __init__(self, rendered, out):
        self.rendered, self.out = rendered, out
        os.makedirs(out, exist_ok=True)
        self.hops = open(os.path.join(out, 'hops.txt'), 'w')

    def write(self, name, samples, hop, f0_hz, voiced):
        write_wav(os.path.join(self.out, name + '.wav'), samples)
        np.savez(os.path.join(self.out, name + '.npz'), f0_hz=f0_hz, voiced=voiced)
        print(hop, name, file=self.hops, flush=True)

    def add(self, name, recording, random, stretch=1.0, snr_db=None, gain=1.0, hop=320):
        """A rendered recording made `stretch` times as long (and as much lower), then louder, then noisy."""
        stem = os.path.join(self.rendered, recording)
        x = read_wav(stem + '.wav')
        time, f0, voiced = np.loadtxt(stem + '_f0_250.csv', delimiter=',', skiprows=1, usecols=(0, 1, 2)).T
        if stretch != 1.0:
            ratio = Fraction(stretch).limit_denominator(40)
            x = resample_poly(x, ratio.numerator, ratio.denominator)
            time, f0 = time * float(ratio), f0 / float(ratio)
        x = x * gain
        if snr_db is not None:
            x = add_pink_noise(x, snr_db, random)
        at = np.arange(len(x) // hop + 1) * hop / RATE
        near = np.clip(np.round(np.interp(at, time, np.arange(len(time)))).astype(int), 0, len(time) - 1)
        self.write(name, x, hop, f0[near], (voiced[near] > 0) & (f0[near] > 0))


def add_first(m):
    random = np.random.default_rng(5)
    variants = [(1, None, 1, 320), (1, 12, .5, 331), (1.1, None, .25, 325), (.85, 25, 1, 317)]
    for v in INSTRUMENTS:
        m.add(f'score_{v}', f'score/{v}/test', random)
        m.add(f'score3_{v}', f'score3/{v}/test', random)
        m.add(f'score_noisy_{v}', f'score/{v}/test', random, snr_db=10)
        for i, (stretch, snr_db, gain, hop) in enumerate(variants):
            m.add(f'train_{v}_{i}', f'train/{v}/train', random, stretch, snr_db, gain, hop)


def add_more(m):
    random = np.random.default_rng(5)
    variants = [(1, None, .7, 320), (1.2, 15, .5, 327), (.8, None, .3, 313)]
    for i, v in enumerate(MORE):
        if v in UNUSED:
            continue
        if v in ALSO_LOW:
            m.add(f'train2_{v}_1', f'more/{v}/train', random, 1.6, 20, .5, 323)
        m.add(f'train2_{v}_0', f'more/{v}/train', random, *variants[i % 3])
    for v in INSTRUMENTS:
        m.add(f'train2_{v}_n', f'train/{v}/train', random, snr_db=10, hop=640)
        m.add(f'train2_{v}_m', f'train/{v}/train', random, snr_db=4, hop=900)


def add_synthetic(m, seconds):
    random = np.random.default_rng(77)
    hop = 320
    for i in range(4):
        x, f0 = synthetic.play(seconds, random)
        if i == 1:
            x = add_pink_noise(x, 12, random)
        x = x.astype(np.float32)
        at = np.minimum(np.arange(len(x) // hop + 1) * hop, len(x) - 1)
        power = np.convolve(x ** 2, np.ones(512) / 512, 'same')[at]
        m.write(f'train2_synth_{i}', x, hop, f0[at], (f0[at] > 0) & (10 * np.log10(power + 1e-12) > -50))


def add_noisy(m):
    random = np.random.default_rng(99)
    for v in INSTRUMENTS:
        m.add(f'train3_{v}_a', f'train/{v}/train', random, snr_db=8, hop=420)
        m.add(f'train3_{v}_b', f'train/{v}/train', random, .9, 13, hop=400)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('rendered')
    arguments.add_argument('out')
    arguments.add_argument('--synthetic-seconds', type=int, default=240, help='length of each of the four synthetic recordings')
    a = arguments.parse_args()
    m = Material(a.rendered, a.out)
    add_first(m)
    add_more(m)
    add_synthetic(m, a.synthetic_seconds)
    add_noisy(m)


if __name__ == '__main__':
    main()
