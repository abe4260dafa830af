#!/usr/bin/env python3
# From the audio kit that the test melodies come from (unchanged below this line), see testdata/audio/README.md.
"""score.py REF.csv EST.csv [...more pairs]   score estimated pitch against a reference.  Standard library only.

Both files: a header `time_s,f0_hz,voiced`, then one row per frame (more columns are ignored; a file without header is read as those three
columns; without a `voiced` column, f0 > 0 is voiced).  Reference rows with voiced = -1 are left out.  An estimate may give a pitch on a
frame that it calls unvoiced (f0_hz > 0, voiced 0): RPA and RCA look at the pitch alone, as mir_eval.melody does.
The estimate is brought to the reference times: voicing of the nearest frame; pitch interpolated in cents between the two neighbours, or
taken from the nearest where they are more than a semitone apart or one has no pitch.

  rpa      share of the reference's voiced frames with a pitch within 50 cents
  rca      the same, octave errors forgiven
  vr, vfa  voicing recall, voicing false alarm
  oa       share of all frames that are right: voiced within 50 cents, or rightly called unvoiced
  ger      share of frames voiced in both whose pitch is more than 20 % off (gross error)
  cents    mean |error| in cents of the frames within 50 cents;  bias: their mean error
"""
import bisect, csv, json, math, sys


def read(path):
    t, f, v = [], [], []
    with open(path, newline='') as h:
        rows = csv.reader(h); first = next(rows)
        try: float(first[0]); col = (0, 1, 2 if len(first) > 2 else None); data = [first]
        except ValueError: col = (first.index('time_s'), first.index('f0_hz'), first.index('voiced') if 'voiced' in first else None); data = []
        data += [r for r in rows if r]
    for r in data:
        hz = float(r[col[1]])
        t.append(float(r[col[0]])); f.append(abs(hz) if math.isfinite(hz) else 0.0)
        v.append(int(float(r[col[2]])) if col[2] is not None else int(hz > 0))
    return t, f, v


def at(times, t, f, v):
    """Estimate (t, f, v) at `times`; past its ends (by more than half a frame, at least 10 ms) there is no pitch."""
    F, W = [], []
    half = max(.010, (t[-1] - t[0]) / max(1, len(t) - 1) / 2) + 1e-9 if t else 0
    for x in times:
        if not t or x < t[0] - half or x > t[-1] + half: F.append(0.0); W.append(0); continue
        i = bisect.bisect_left(t, x)
        if i == len(t): i -= 1
        j = max(0, i - 1)
        near = i if t[i] - x <= x - t[j] else j
        W.append(v[near])
        a, b = f[j], f[i]
        if i != j and a > 0 and b > 0 and abs(math.log2(a / b)) <= 1 / 12 and t[j] <= x <= t[i]:
            w = (x - t[j]) / (t[i] - t[j]); F.append(math.exp(math.log(a) * (1 - w) + math.log(b) * w))
        else: F.append(f[near])
    return F, W


def counts(ref, est):
    t, f, v = ref
    keep = [i for i in range(len(t)) if v[i] >= 0]
    F, W = at([t[i] for i in keep], *est)
    c = dict(n=0, voiced=0, pitch=0, chroma=0, vv=0, fa=0, right=0, gross=0, cents=0.0, bias=0.0)
    for k, i in enumerate(keep):
        c['n'] += 1
        rv, ev = v[i] > 0 and f[i] > 0, W[k] > 0 and F[k] > 0
        if not rv:
            c['fa'] += ev; c['right'] += not ev; continue
        c['voiced'] += 1; c['vv'] += ev
        if F[k] <= 0: continue
        d = 1200 * math.log2(F[k] / f[i]); ok = abs(d) < 50
        c['pitch'] += ok; c['chroma'] += abs(d - 1200 * math.floor(d / 1200 + .5)) < 50
        if ev: c['right'] += ok; c['gross'] += abs(F[k] / f[i] - 1) > .2
        if ok: c['cents'] += abs(d); c['bias'] += d
    return c


def add(cs):
    tot = {}
    for c in cs:
        for k, x in c.items(): tot[k] = tot.get(k, 0) + x
    return tot


def metrics(c):
    q = lambda a, b: a / b if b else float('nan')
    return dict(rpa=q(c['pitch'], c['voiced']), rca=q(c['chroma'], c['voiced']), vr=q(c['vv'], c['voiced']), vfa=q(c['fa'], c['n'] - c['voiced']),
                oa=q(c['right'], c['n']), ger=q(c['gross'], c['vv']), cents=q(c['cents'], c['pitch']), bias=q(c['bias'], c['pitch']),
                frames=c['n'], voiced=c['voiced'])


if __name__ == '__main__':
    a = sys.argv[1:]
    if len(a) < 2 or len(a) % 2: sys.exit(__doc__)
    cs = [counts(read(r), read(e)) for r, e in zip(a[::2], a[1::2])]
    m = metrics(add(cs))
    print(json.dumps({k: (None if isinstance(x, float) and math.isnan(x) else round(x, 4)) for k, x in m.items()}))
