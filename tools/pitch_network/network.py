"""The pitch network (core/features/pitch_network.h) as it is trained."""
import torch
import torch.nn.functional as F
from torch import nn

import weights

VIEWS = 4
INPUTS = 2 * VIEWS
BINS = 131
LOWEST_HZ, CENTS = 50.0, 50.0
OCTAVE, TWELFTH = 24, 38


class PitchNetwork(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.near = nn.Conv1d(INPUTS, hidden, 5, padding=2)
        self.far = nn.Conv1d(4 * INPUTS, hidden, 1, bias=False)
        self.level = nn.Linear(VIEWS - 1, hidden, bias=False)
        self.place = nn.Linear(3, hidden, bias=False)
        self.second = nn.Conv1d(hidden, hidden, 5, padding=2)
        self.last = nn.Conv1d(hidden, 1, 1)
        at = torch.arange(BINS) / BINS
        self.register_buffer('trend', torch.stack([at, at * at, torch.exp(-6 * at)], 1), persistent=False)

    def forward(self, views, levels):
        """views [batch, INPUTS, BINS], levels [batch, VIEWS - 1] to evidence [batch, BINS]."""
        padded = F.pad(views, (TWELFTH, TWELFTH))
        far = torch.cat([padded[:, :, TWELFTH + d:TWELFTH + d + BINS] for d in (OCTAVE, -OCTAVE, TWELFTH, -TWELFTH)], 1)
        h = F.relu(self.near(views) + self.far(far) + self.level(levels)[:, :, None] + self.place(self.trend).T[None])
        return self.last(F.relu(self.second(h)))[:, 0]

    def save(self, path):
        weights.write(path, {name: (list(t.shape), t.flatten().tolist()) for name, t in self.state_dict().items()})


def load(path):
    tensors = {name: torch.tensor(values).reshape(shape) for name, (shape, values) in weights.read(path).items()}
    network = PitchNetwork(len(tensors['near.bias']))
    network.load_state_dict(tensors)
    return network
