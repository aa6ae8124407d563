"""What an epoch reads of the pool, and through which parts of the network it becomes vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from indexer.training.pool import Pool
from retrieval.encoder.network import EmbeddingNetwork
from retrieval.encoder.preprocessing import Preprocessing

EMBEDDED_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Values of each row, and the parts of the network that make vectors of the values."""

    values: np.ndarray  # (n_rows, ...): features of float16, pixels of uint8, or pooled features of float32
    through: Callable[[Tensor], Tensor]
    preprocessing: Preprocessing
    device: str
    bf16: bool

    def vectors(self, rows: np.ndarray) -> Tensor:
        """Return the vectors of some rows, (n, dim), with their gradient."""
        with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
            return self.through(self._tensor(self.values[rows]))

    @torch.inference_mode()
    def embed(self, rows: np.ndarray) -> np.ndarray:
        """Return the vectors of any number of rows, float32 (n, dim)."""
        starts = range(0, len(rows), EMBEDDED_AT_ONCE)
        found = [self.vectors(rows[start : start + EMBEDDED_AT_ONCE]) for start in starts]
        return torch.cat(found).float().cpu().numpy()

    def _tensor(self, values: np.ndarray) -> Tensor:
        if values.dtype == np.uint8:
            values = self.preprocessing.scaled(values.transpose(0, 2, 3, 1))
        tensor = torch.from_numpy(np.ascontiguousarray(values)).to(self.device).float()
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def pooled_source(
    network: EmbeddingNetwork, pool: Pool, preprocessing: Preprocessing, *, device: str, bf16: bool
) -> Source:
    """Return the pool, to go through the parts that are not frozen up to the pooling."""
    return Source(
        pool.features, lambda values: network.pooled(network.run(values, pool.frozen)), preprocessing, device, bf16
    )


def tower_source(pooled: Source, network: EmbeddingNetwork) -> Source:
    """Return the pool, to go through the projection too: to unit vectors."""
    return replace(pooled, through=lambda values: network.embed(pooled.through(values)))


def head_source(pooled: Source, network: EmbeddingNetwork) -> Source:
    """Return the pooled features, made once, to go through the projection alone: to unit vectors."""
    return replace(pooled, values=pooled.embed(np.arange(len(pooled.values))), through=network.embed)
