"""Say why a photograph within the threshold does not show enough of a work to be consistent with it."""

from __future__ import annotations

from retrieval.comparing.divergence import Divergence
from retrieval.comparing.overlays import COVER

FEWEST_PIXELS = 200  # of the photograph across the whole work: with fewer, a change is lost in what is around it
LEAST_COMPARED = 0.5  # of the exemplar


def why_unsure(found: Divergence) -> str | None:
    """Return what hides too much of the work, and what would help; None where nothing does."""
    if covered := sum(overlay.share for overlay in found.overlays if overlay.kind == COVER):
        what = f"something plain lies over {covered:.1%} of it, a label, a hand or paint"
        return f"{what}: a photograph without it would help"
    if found.compared < LEAST_COMPARED:
        return (
            f"only {found.compared:.0%} of it could be compared, less than {LEAST_COMPARED:.0%}: "
            "a photograph of all of it would help"
        )
    if found.pixels < FEWEST_PIXELS:
        return (
            f"it is only some {found.pixels:.0f} pixels across on the photograph, {FEWEST_PIXELS} are needed: "
            "a larger photograph would help"
        )
    return None
