#!/usr/bin/env python3
"""train.py MATERIAL OUT.safetensors: trains the pitch network on MATERIAL/train*.views and scores it on MATERIAL/score*.views.
--score FILE.safetensors only scores.
"""
import argparse
import glob
import os
import time

import numpy as np
import torch

import network
from network import BINS, CENTS, INPUTS, VIEWS

BATCH = 128
# As core/features/pitch_path.h has them.
GLIDE, SLIDE, JUMP = 3, .05, 1.0


def bins_of(hz):
    return 1200 / CENTS * np.log2(np.maximum(hz, 1) / network.LOWEST_HZ)


def read_item(stem):
    """Rows of pitch_views, pitch and voicing, one per instant."""
    rows = np.fromfile(stem + '.views', np.float16).reshape(-1, INPUTS * BINS + VIEWS)
    truth = np.load(stem + '.npz')
    n = min(len(rows), len(truth['f0_hz']))
    return rows[:n], truth['f0_hz'][:n], truth['voiced'][:n]


def read_examples(stem, seed):
    """The voiced instants within four hops of a step of half a semitone or more, and a quarter of the others."""
    rows, f0, voiced = read_item(stem)
    step = np.abs(np.diff(np.log2(np.maximum(f0, 1)), prepend=0)) > .5 / 12
    near_step = np.convolve(step, np.ones(9), 'same') > 0
    some = np.random.default_rng(seed).random(len(rows)) < .25
    keep = voiced & (near_step | some)
    return rows[keep], f0[keep]


def inputs(rows):
    views = torch.from_numpy(rows[:, :INPUTS * BINS].astype(np.float32)).view(-1, INPUTS, BINS)
    levels = torch.from_numpy(rows[:, INPUTS * BINS:].astype(np.float32))
    return views.clamp(-1, 1), ((levels[:, 1:] - levels[:, :1]) / 10).clamp(-3, 3)


def targets(f0):
    """A bell of 24 cents about the pitch."""
    distance = torch.from_numpy(bins_of(f0)).float()[:, None] - torch.arange(BINS)[None]
    bell = torch.exp(-.5 * (distance / (24 / CENTS)) ** 2)
    return bell / (bell.sum(1, keepdim=True) + 1e-9)


def follow(evidence):
    """core/features/pitch_path.cc"""
    score, path = np.zeros(BINS), np.zeros(len(evidence), int)
    for t, e in enumerate(evidence):
        padded = np.pad(score, (GLIDE, GLIDE), constant_values=-1e9)
        glide = np.maximum.reduce([padded[GLIDE + d:GLIDE + d + BINS] - SLIDE * abs(d) for d in range(-GLIDE, GLIDE + 1)])
        score = np.maximum(glide, score.max() - JUMP) + e
        score -= score.max()
        path[t] = np.argmax(score)
    return path


def accuracy(bins, f0, voiced):
    return (np.abs(bins - bins_of(f0))[voiced] * CENTS < 50).mean()


def score(net, material):
    """Prints the share of voiced instants within 50 cents: of the best candidate of each alone, and along the path."""
    net.eval()
    for kind in ('score', 'score3', 'score_noisy'):
        rates = []
        for voice in ('violin', 'tenor_sax', 'flute', 'trumpet'):
            rows, f0, voiced = read_item(os.path.join(material, f'{kind}_{voice}'))
            with torch.no_grad():
                evidence = torch.cat([torch.log_softmax(net(*inputs(rows[i:i + 500])), 1) for i in range(0, len(rows), 500)]).numpy()
            rates.append((accuracy(evidence.argmax(1), f0, voiced), accuracy(follow(evidence), f0, voiced)))
        alone, path = np.mean(rates, axis=0)
        print(f'{kind}: alone {alone:.4f}, path {path:.4f}', flush=True)
    net.train()


def train(material, out, epochs, hidden):
    stems = sorted(path[:-len('.views')] for path in glob.glob(os.path.join(material, 'train*.views')))
    examples = [read_examples(stem, i) for i, stem in enumerate(stems)]
    rows, f0 = (np.concatenate(parts) for parts in zip(*examples))
    print(f'{len(rows)} examples of {len(stems)} recordings', flush=True)
    net = network.PitchNetwork(hidden)
    steps = epochs * len(rows) // BATCH
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps + 1)
    random, start, step, mean = np.random.default_rng(1), time.time(), 0, None
    for epoch in range(epochs):
        order = random.permutation(len(rows))
        for i in range(0, len(rows) - BATCH, BATCH):
            batch = order[i:i + BATCH]
            evidence = net(*inputs(rows[batch]))
            loss = -(targets(f0[batch]) * torch.log_softmax(evidence, 1)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            mean = loss.item() if mean is None else .99 * mean + .01 * loss.item()
            if step % 200 == 0:
                print(f'step {step} of {steps}: loss {mean:.4f}, {time.time() - start:.0f} s', flush=True)
        net.save(out)
    return net


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('material')
    arguments.add_argument('out', nargs='?')
    arguments.add_argument('--score', metavar='FILE')
    arguments.add_argument('--epochs', type=int, default=8)
    arguments.add_argument('--hidden', type=int, default=24)
    a = arguments.parse_args()
    if (a.out is None) == (a.score is None):
        arguments.error('give either OUT.safetensors or --score FILE')
    torch.set_num_threads(1)
    torch.manual_seed(0)
    score(network.load(a.score) if a.score else train(a.material, a.out, a.epochs, a.hidden), a.material)


if __name__ == '__main__':
    main()
