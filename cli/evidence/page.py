"""Show, on one page, where a probe and the genuine exemplar agree and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from cli.evidence.evidence import Evidence
from cli.evidence.page_pictures import matched_points, pair_pictures, places
from cli.pages.parts import DistanceBar
from cli.pages.templating import page_pieces


def render_evidence(evidence: Evidence) -> Iterator[str]:
    """Yield the page in pieces."""
    name, distance, limit = evidence.judged_by
    matched = evidence.thresholds.match.value if evidence.thresholds and name == "global distance" else None
    return page_pieces(
        "evidence.html",
        evidence=evidence,
        judged_by=name,
        drawn=DistanceBar(distance, limit, matched),
        pictures=pair_pictures(evidence),
        places=places(evidence),
        points=matched_points(evidence),
        catalogued={name: " ".join(value.split()) for name, value in evidence.metadata.items() if value.strip()},
    )
