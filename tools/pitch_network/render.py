#!/usr/bin/env python3
"""render.py OUT [options of data/voices/voices.py]: solo recordings with exact pitch truth, as data/voices makes them, of
more instruments. Give the instruments with --voices. Standard library only; calls fluidsynth and sox (data/voices/render
installs them).
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'data', 'voices'))
import voices  # noqa: E402

# Name: General MIDI program (from 0), lowest and highest key, share of legato notes.
MORE = {
    'oboe': (68, 58, 91, .5), 'clarinet': (71, 50, 91, .5), 'cello': (42, 36, 76, .5), 'viola': (41, 48, 86, .5),
    'bassoon': (70, 34, 72, .45), 'trombone': (57, 40, 72, .45), 'horn': (60, 41, 77, .45), 'choir': (52, 48, 79, .5),
    'ooh': (53, 48, 79, .5), 'recorder': (74, 60, 96, .5), 'panflute': (75, 60, 96, .45), 'sopsax': (64, 56, 87, .5),
    'altosax': (65, 49, 81, .5), 'barisax': (67, 37, 69, .5), 'enghorn': (69, 52, 81, .5), 'muted': (59, 54, 82, .45),
    'nylon': (24, 40, 83, .4), 'harmonica': (22, 55, 91, .4), 'tuba': (58, 34, 58, .45), 'synlead': (81, 40, 90, .5),
    'ocarina': (79, 60, 96, .5),
}

for name, (program, low, high, legato) in MORE.items():
    voices.VOICES[name] = dict(gm=program, lo=low, hi=high, ulo=low + 2, uhi=high - 6, vib=(8, 35), legato=legato,
                               wind=True, bright=2.0, release=-900, gain=7.0)

if __name__ == '__main__':
    voices.main()
