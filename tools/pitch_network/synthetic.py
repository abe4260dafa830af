"""Synthetic voices: tones with harmonics of random shapes, attacks, releases, glides and breath, in random melodies. Some
(`speech`) glide all the time. They reach where no instrument of the soundfont does: 50 to 2100 Hz, -38 to -8 dB.
"""
import numpy as np

RATE = 16000
TWO_PI = 2 * np.pi


def make_voice(random):
    """A function from a pitch to the amplitudes of its harmonics, of power 1 together."""
    kind = random.integers(0, 6)  # 0: a sine, 2 to 4: formants, 3: and a weak start, 5: odd harmonics
    slope = random.uniform(0, 3)
    formants = random.integers(1, 5)
    centre = np.exp(random.uniform(np.log(250), np.log(4500), formants))
    width = random.uniform(.08, .5, formants)
    gain = random.uniform(0, 3, formants)
    weak = random.uniform(0, 1, 8) ** .5
    even = random.uniform(.0, .3)
    random.uniform(0, 6.28, 200)  # was for phases; drawn still, so that the rest stays

    def amplitudes(hz):
        count = max(1, int(7800 / hz))
        h = np.arange(1, count + 1)
        a = h ** -slope * 1.0
        if kind == 0:
            a = (h == 1) * 1.0
        if kind in (2, 3, 4):
            a = a * (.1 + sum(g * np.exp(-.5 * (np.log(h * hz / c) / w) ** 2) for c, w, g in zip(centre, width, gain)))
        if kind == 3:
            a[:8] *= weak[:min(8, count)]
        if kind == 5:
            a[1::2] *= even
        return a / np.sqrt((a ** 2).sum() + 1e-12)

    return amplitudes


def play(seconds, random):
    """Samples, and the pitch at each of them (0 in pauses)."""
    n = int(seconds * RATE)
    x, f0, t = np.zeros(n + 4 * RATE), np.zeros(n), RATE // 5
    while t < n - RATE:
        amplitudes = make_voice(random)
        place = random.uniform(np.log(52), np.log(900))
        release = np.exp(random.uniform(np.log(.004), np.log(.05)))
        attack = np.exp(random.uniform(np.log(.002), np.log(.07)))
        breath = 10 ** (random.uniform(-50, -12) / 20)
        level = 10 ** (random.uniform(-38, -8) / 20)
        speech = random.random() < .25
        for _ in range(random.integers(4, 20)):
            place = np.clip(place + random.normal(0, .25), np.log(51), np.log(2080))
            hz = np.exp(place)
            duration = int(random.choice([.09, .12, .18, .25, .4, .7, 1.4]) * random.uniform(.8, 1.2) * RATE)
            legato = random.random() < .6
            gate = duration if legato else int(duration * random.uniform(.4, .92))
            length = gate + int(release * 7 * RATE)
            s = np.arange(length) / RATE
            # In semitones: vibrato, a scoop at the start, the melody of speech.
            bend = random.choice([0, 0, .2, .4]) * np.sin(TWO_PI * random.uniform(4, 7) * s + random.uniform(0, 6)) * np.clip(s / .3, 0, 1)
            if random.random() < .15:
                bend = bend - random.uniform(.1, .8) * np.exp(-s / .05)
            if speech:
                bend = bend + random.uniform(-5, 5) * s / s[-1] + random.uniform(0, 2) * np.sin(TWO_PI * random.uniform(1, 4) * s)
            f = np.clip(hz * 2 ** (bend / 12), 50.5, 2095)
            phase = TWO_PI * np.cumsum(f) / RATE
            envelope = (np.minimum(1, s / attack) ** random.uniform(.5, 2) * np.exp(-np.maximum(0, s - gate / RATE) / release) *
                        (1 - .5 * random.random() * s / s[-1]) * 10 ** (random.normal(0, 3) / 20))
            y = np.zeros(length)
            for h, a in enumerate(amplitudes(hz)[:80], 1):
                if a > 1e-4:
                    y += a * np.sin(h * phase + random.uniform(0, 6.28)) * (f * h < 7900)
            y += breath * random.standard_normal(length)
            x[t:t + length] += level * envelope * y
            m = min(n, t + duration) - t
            if m > 0:
                held = f[:m] if length >= m else np.concatenate([f, np.full(m - length, f[-1])])
                f0[t:t + m] = held[:m]
            t += duration
            if t > n - RATE:
                break
        t += int(random.uniform(.05, .5) * RATE)
    return x[:n], f0
