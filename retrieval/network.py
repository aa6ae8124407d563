"""The Siamese network in torch: one tower, GeM pooling, unit vectors. Imported only to train or export."""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn


class GeM(nn.Module):
    """Generalised-mean pooling over places (Radenovic, Tolias and Chum 2018).

    power 1 is the average and a large power the maximum; (n, channels, h, w) -> (n, channels).
    """

    def __init__(self, power: float = 3.0) -> None:
        super().__init__()
        self.power = power

    def forward(self, features: Tensor) -> Tensor:
        return features.clamp(min=1e-6).pow(self.power).mean(dim=(2, 3)).pow(1.0 / self.power)


STRIDES = (4, 8, 16)  # pixels of the picture to one place of the stages that are compared


class EmbeddingNetwork(nn.Module):
    """A timm tower of the EfficientNet family without its classifier, pooled by GeM: (n, 3, h, w) -> (n, dim)."""

    def __init__(self, architecture: str, *, power: float = 3.0) -> None:
        super().__init__()
        self.tower = timm.create_model(architecture, pretrained=False, num_classes=0)
        self.pool = GeM(power)

    def forward(self, images: Tensor) -> Tensor:
        return self.describe(images)[0]

    def describe(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the unit vectors, and the tower's first stage at each of STRIDES: (n, channels, rows, columns)."""
        features, stride = self.tower.bn1(self.tower.conv_stem(images)), 2
        stages: dict[int, Tensor] = {}
        for block in self.tower.blocks:
            features = block(features)
            stride *= block[0].conv_dw.stride[0]
            stages.setdefault(stride, features)
        pooled = self.pool(self.tower.bn2(self.tower.conv_head(features)))
        return nn.functional.normalize(pooled, dim=1), *(stages[stride] for stride in STRIDES)


class DescribingNetwork(nn.Module):
    """A network that gives all that it describes a picture by, for export."""

    def __init__(self, network: EmbeddingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.network.describe(images)


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
