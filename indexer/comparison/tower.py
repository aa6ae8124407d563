"""The tower of the comparison network: the first stages of a network, as when the comparison was trained on it."""

from __future__ import annotations

from pathlib import Path

import timm
from safetensors.torch import load_file
from torch import Tensor, nn

from retrieval.comparing.network import FOLDER

ARCHITECTURE = "tf_efficientnet_lite2"
SIZES = (24, 48, 88)  # channels of the stages at strides 4, 8 and 16
FILE = FOLDER / "tower.safetensors"


class Tower(nn.Module):
    """Pictures, (n, 3, rows, columns) -> the stages at strides 4, 8 and 16, each through a convolution of its own."""

    def __init__(self) -> None:
        super().__init__()
        whole = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0, global_pool="")
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1, whole.blocks[0])
        self.blocks = whole.blocks[1 : 1 + len(SIZES)]
        self.heads = nn.ModuleList(nn.Conv2d(size, size, kernel_size=3, padding=1) for size in SIZES)

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        features, found = self.stem(pictures), []
        for block, head in zip(self.blocks, self.heads, strict=True):
            features = block(features)
            found.append(head(features))
        return tuple(found)


def load_tower(path: Path = FILE) -> Tower:
    """Return the tower with its weights, which training the comparison leaves as they are."""
    tower = Tower()
    tower.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    for parameter in tower.parameters():
        parameter.requires_grad_(False)
    return tower.eval()
