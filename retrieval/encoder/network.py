"""The Siamese network in torch: one tower for both photographs, GeM pooling, a projection, unit vectors.

Both photographs of a pair, or all three of a triplet, go through the same EmbeddingNetwork: identical sub-networks that
share their weights (Bromley et al. 1993). The distance between the unit vectors tells how alike the photographs are.
"""

from __future__ import annotations

from typing import Any

import timm
import torch
from torch import Tensor, nn

OPEN_CLIP = "open_clip:"  # before the name of a tower that open_clip builds; others are timm's


class GeM(nn.Module):
    """Generalised-mean pooling over places (Radenovic, Tolias and Chum 2018).

    power 1 is the average and a large power the maximum; (n, channels, h, w) -> (n, channels).
    """

    def __init__(self, power: float = 3.0) -> None:
        super().__init__()
        self.power = power

    def forward(self, features: Tensor) -> Tensor:
        return features.clamp(min=1e-6).pow(self.power).mean(dim=(2, 3)).pow(1.0 / self.power)


class EmbeddingNetwork(nn.Module):
    """A tower without its classifier, GeM over its last map, a projection to unit vectors: (n, 3, h, w) -> (n, dim).

    `architecture` is the name of a timm network or `open_clip:NAME`. `projection` is the size of the vectors, None to
    keep the vectors of the tower. The tower is a chain of `parts`: the first few can be frozen, and what the last
    frozen part makes of a picture can be kept.
    """

    def __init__(self, architecture: str, *, power: float = 3.0, projection: int | None = None) -> None:
        super().__init__()
        self.architecture, self.projection = architecture, projection
        self.tower = _tower(architecture)
        self.pool = GeM(power)
        self.project: nn.Module = nn.Identity()
        if projection is not None:
            self.add_projection(projection)

    @property
    def has_stages(self) -> bool:
        """Whether the tower is one of stages, of the EfficientNet family."""
        return hasattr(self.tower, "conv_stem")

    def add_projection(self, dim: int) -> nn.Linear:
        """Put a fresh projection in front of the unit vectors and return it."""
        self.projection = dim
        self.project = nn.Linear(self.pooled_size(), dim)
        return self.project

    def parts(self) -> list[nn.Module]:
        """Return what a picture passes through in turn, up to the pooling."""
        if not self.has_stages:
            return [self.tower]
        tower = self.tower
        first, last = nn.Sequential(tower.conv_stem, tower.bn1), nn.Sequential(tower.conv_head, tower.bn2)
        return [first, *tower.blocks, last]

    def run(self, values: Tensor, start: int, stop: int | None = None) -> Tensor:
        """Pass values through the parts from `start` on, up to but without `stop`."""
        for part in self.parts()[start:stop]:
            values = part(values)
        return values

    def pooled(self, features: Tensor) -> Tensor:
        """Return what is projected, (n, size): maps are pooled, and what its tower has pooled stays as it is."""
        return self.pool(features) if features.dim() == 4 else features

    def embed(self, pooled: Tensor) -> Tensor:
        """Return the unit vectors of pooled features, (n, size) -> (n, dim)."""
        return nn.functional.normalize(self.project(pooled), dim=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.embed(self.pooled(self.run(images, 0)))

    @torch.no_grad()
    def pooled_size(self) -> int:
        """Return how many numbers the projection takes, the most that it can usefully give."""
        config = getattr(self.tower, "image_size", 64)
        height, width = config if isinstance(config, tuple) else (config, config)
        was_training = self.training
        size = self.eval().pooled(self.run(torch.zeros(1, 3, height, width), 0)).shape[1]
        self.train(was_training)
        return int(size)


def _tower(architecture: str) -> Any:
    if not architecture.startswith(OPEN_CLIP):
        return timm.create_model(architecture, pretrained=False, num_classes=0, global_pool="")
    import open_clip

    return open_clip.create_model(architecture.removeprefix(OPEN_CLIP), pretrained=None).visual


@torch.no_grad()
def absorb_batch_norm(tower: nn.Module) -> None:
    """Fold every batch norm into the convolution before it and leave the identity in its place.

    The function computed stays the same and the state dict keeps its names, but rounding the weights to
    half precision now gives the very numbers that an inference engine, which folds them too, computes with.
    """
    convolution: nn.Conv2d | None = None
    for module in tower.modules():
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d):
            assert convolution is not None and convolution.out_channels == module.num_features
            assert module.running_mean is not None and module.running_var is not None
            scale = module.weight / (module.running_var + module.eps).sqrt()
            convolution.weight.mul_(scale[:, None, None, None])
            module.bias.sub_(module.running_mean * scale)
            module.weight.fill_(1.0)
            module.running_mean.zero_()
            module.running_var.fill_(1.0 - module.eps)
            convolution = None
