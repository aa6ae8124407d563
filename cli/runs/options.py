"""How a command is asked to judge photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.judging.edition import Edition, open_edition


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """By which encoder photographs are judged (None: the catalogue's own), where it runs, and up to which size."""

    encoder: str | None
    device: str
    max_megapixels: float

    def open_edition(self, data: Path, *, parallel: int = 1) -> Edition:
        """Return the last revision of the catalogue in `data`, opened with this encoder."""
        return open_edition(data, encoder_spec=self.encoder, device=self.device, parallel=parallel)
