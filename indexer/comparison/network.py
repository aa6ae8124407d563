"""The comparison network in torch: both pictures through one tower, a small head over both maps and their state.

Two identical sub-networks that share their weights see the exemplar and the probe; the head sees, at each place, how
their features differ, and in what state the place is, and says how far what it shows contradicts the exemplar.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from indexer.comparison.tower import SIZES, Tower
from retrieval.comparing.evidence import PLACES_ACROSS, STATES

WIDTH = 48  # channels of the head
DILATIONS = (1, 2, 4, 1)  # of its convolutions: a place is seen with a third of the picture around it
GROUPS = 8
MOST = 5.0  # deviations beyond which an input says no more
SLACK_STAGES = 2  # of the tower, of which the best of the neighbouring places is told too
CHANNELS = sum(SIZES) + 2 * len(SIZES) + SLACK_STAGES + STATES  # that the head sees


class Head(nn.Module):
    """Evidence of each place, (n, channels, rows, columns) -> how far it contradicts the exemplar, a logit.

    `inside`, bool (n, rows, columns), is what is compared. What is usual on this very pair, mean and deviation over
    all of its places, is added to each place.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))
        self.reduce = nn.Conv2d(channels, WIDTH, 1)
        self.usual = nn.Linear(2 * WIDTH, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(GROUPS, WIDTH), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=wide, dilation=wide)
            )
            for wide in DILATIONS
        )
        self.out = nn.Conv2d(WIDTH, 1, 1)
        self.drop = nn.Dropout2d(0.1)

    def forward(self, evidence: Tensor, inside: Tensor) -> Tensor:
        mask = inside[:, None].to(evidence.dtype)
        scaled = (evidence - self.mean[:, None, None]) / self.deviation[:, None, None]
        values = self.reduce(self.drop(scaled.clamp(-MOST, MOST) * mask))
        seen, count = torch.relu(values), mask.sum((2, 3)).clamp(min=1.0)
        mean = (seen * mask).sum((2, 3)) / count
        variance = ((seen - mean[:, :, None, None]).square() * mask).sum((2, 3)) / count
        values = values + self.usual(torch.cat([mean, (variance + 1e-3).sqrt()], dim=1))[:, :, None, None]
        for block in self.blocks:
            values = values + block(values) * mask
        found: Tensor = self.out(torch.relu(values))[:, 0]
        return found


class ComparisonNetwork(nn.Module):
    """A pair as `evidence_of` gives it -> the logit of each place, (PLACES_ACROSS, PLACES_ACROSS).

    `pictures` is (2, 3, side, side) in grey levels, `states` (1, STATES, rows, columns), `inside` (1, rows, columns).
    """

    def __init__(self, tower: Tower, head: Head) -> None:
        super().__init__()
        self.tower, self.head = tower, head

    def forward(self, pictures: Tensor, states: Tensor, inside: Tensor) -> Tensor:
        found: Tensor = self.head(torch.cat([self.features(pictures), states], dim=1), inside)[0]
        return found

    def features(self, pictures: Tensor) -> Tensor:
        """Return how the features of two pictures differ at each place: (1, channels, rows, columns)."""
        stages, found = self.tower((pictures - 127.0) / 128.0), []
        for number, stage in enumerate(stages):
            unit = stage / stage.square().sum(dim=1, keepdim=True).sqrt().clamp(min=1e-6)
            one, other = unit[:1], unit[1:]
            away = (one - other).abs()
            distance = away.square().sum(dim=1, keepdim=True).sqrt()
            around = functional.max_pool2d(distance, 3, 1, 1) if stage.shape[-1] >= PLACES_ACROSS else distance
            found += [_placed(away), _placed(distance), _placed(around)]
            if number < SLACK_STAGES:
                found.append(_placed(_nearest(one, other)))
        return torch.cat(found, dim=1)


def _nearest(one: Tensor, other: Tensor) -> Tensor:
    """Return the distance of the unit features at each place to the nearest of nine: (1, 1, rows, columns)."""
    rows, columns = one.shape[2:]
    padded = functional.pad(other, (1, 1, 1, 1), mode="replicate")
    products = [
        (one * padded[:, :, down : down + rows, across : across + columns]).sum(dim=1, keepdim=True)
        for down in range(3)
        for across in range(3)
    ]
    return (2.0 - 2.0 * torch.stack(products).amax(dim=0)).clamp(min=0.0).sqrt()


def _placed(values: Tensor) -> Tensor:
    """Return the mean over each place, or between the places of a coarser map."""
    if values.shape[-1] > PLACES_ACROSS:
        return functional.avg_pool2d(values, values.shape[-1] // PLACES_ACROSS)
    if values.shape[-1] == PLACES_ACROSS:
        return values
    return functional.interpolate(values, (PLACES_ACROSS, PLACES_ACROSS), mode="bilinear", align_corners=False)
