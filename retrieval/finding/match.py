"""What a photograph was matched with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.comparing.divergence import Divergence, NoExemplar, NotCompared
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Again:
    """A match measured again on the photograph made a little different: recompressed, cropped or rescaled."""

    variant: str
    distance: float | None  # the one that decides; None where there it is another one
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Match:
    """An object, by the nearest of its exemplars, or by the one to which the probe was registered."""

    object_id: str
    exemplar: Path
    distance: float  # to the nearest exemplar, Euclidean on unit vectors, [0, 2], lower is closer
    registration: Registration | NotRegistered | None = None  # None: not tried
    divergence: Divergence | NotCompared | None = None  # None: not registered
    file_changed: bool = False  # of the exemplar, since it was indexed: what was compared is its working picture
    condition: str | None = None  # of the photograph, where it is registered
    again: tuple[Again, ...] = ()  # of a flag

    @property
    def registered(self) -> Registration | None:
        """How the exemplar lies on the photograph; None where registration failed or was not tried."""
        return self.registration if isinstance(self.registration, Registration) else None

    @property
    def compared(self) -> Divergence | None:
        """The comparison place by place; None where there is none."""
        return self.divergence if isinstance(self.divergence, Divergence) else None

    @property
    def without_exemplar(self) -> NoExemplar | None:
        """Why the exemplar, though registered, cannot be compared with; None where it is not away."""
        return self.divergence if isinstance(self.divergence, NoExemplar) else None

    @property
    def decisive(self) -> float:
        """The distance that decides: the combined one, or without it the global one."""
        return self.compared.combined_distance if self.compared else self.distance

    @property
    def range(self) -> tuple[float, float]:
        """The least and the most of the distance that decides, over all that was measured."""
        measured = (self.decisive, *(one.distance for one in self.again if one.distance is not None))
        return min(measured), max(measured)
