"""Show, on one page, where a probe and the genuine exemplar agree and where they differ."""

from __future__ import annotations

from collections.abc import Iterator

from cli.evidence.evidence import Evidence
from cli.evidence.page_pictures import MatchedPoints, Views, places
from cli.pages.parts import Bar
from cli.pages.templating import page_pieces


def render_evidence(evidence: Evidence) -> Iterator[str]:
    """Yield the page in pieces."""
    name, distance, limit = evidence.judged_by
    matched = evidence.thresholds.match.value if evidence.thresholds and name == "global distance" else None
    return page_pieces(
        "evidence.html",
        evidence=evidence,
        judged_by=name,
        drawn=Bar(distance, limit, matched),
        views=Views.of(evidence),
        places=places(evidence),
        points=MatchedPoints.of(evidence),
        catalogued={name: " ".join(value.split()) for name, value in evidence.metadata.items() if value.strip()},
    )
