"""Show, on one page, where a probe and the genuine exemplar agree and where they differ."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cli.report import SIGNS, bar
from cli.sheet import draw_sheet
from cli.views import escaped, matched_section, places_section, registered_section, unregistered_section
from retrieval.decision import Outcome

if TYPE_CHECKING:
    from retrieval.divergence import Divergence, Place
    from retrieval.registration import Registration

__all__ = ["Evidence", "draw_sheet", "render_evidence"]

PLACES = 6
VERDICTS: Mapping[str, str] = {
    Outcome.CONSISTENT: "Matches {0}, and the distance {1} is within the authenticity threshold {2}.",
    Outcome.DIVERGENT: "Depicts or imitates {0}, but its distance to the genuine exemplar, {1}, exceeds the "
    "authenticity threshold {2}: a suspected forgery, copy or alteration.",
    Outcome.NO_MATCH: "Nothing in the catalogue is near enough: an unknown object, which is no sign of a forgery. "
    "{0} is only the nearest, at the distance {1}.",
    Outcome.INCONCLUSIVE: "The photograph or the calibration is too poor to say whether it is consistent with {0}.",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one probe against one exemplar."""

    photo: Path
    sha256: str
    photo_size: tuple[int, int]  # width and height of the upright photograph, in its own pixels
    object_id: str
    metadata: Mapping[str, str]
    exemplar: Path
    exemplar_size: tuple[int, int]
    outcome: str
    reasons: tuple[str, ...]
    distance: float  # that the decision saw
    match_threshold: float | None
    authenticity_threshold: float | None
    thresholds_basis: str  # a sentence with the counts behind them
    registration: Registration | None
    registration_reason: str  # why there is none
    divergence: Divergence | None  # None when not registered
    exemplar_image: Image.Image  # upright RGB, as photographed, reduced
    probe_image: Image.Image
    encoder: str
    revision: int

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        threshold = _number(self.authenticity_threshold)
        return VERDICTS[self.outcome].format(self.object_id, _number(self.distance), threshold)

    @property
    def title(self) -> str:
        """Title and maker of the object."""
        known = (" ".join(self.metadata.get(field, "").split()) for field in ("title", "maker"))
        return ", ".join(text for text in known if text)

    @property
    def worst(self) -> tuple[Place, ...]:
        """The places shown."""
        return self.divergence.places[:PLACES] if self.divergence else ()

    @property
    def not_registered(self) -> str:
        """Why there is no comparison place by place, as a sentence."""
        return (
            f"The two photographs could not be registered: {self.registration_reason.rstrip('.')}. Nothing was "
            "compared place by place; the verdict rests on the global distance alone."
        )

    def said_of(self, place: Place) -> str:
        """Return the local distance of a place, and whether it exceeds the threshold."""
        limit = self.authenticity_threshold
        side = "" if limit is None else ", beyond the threshold" if place.distance > limit else ", within the threshold"
        return f"local distance {place.distance:.3f}{side}"

    def figures(self) -> list[tuple[str, str, str]]:
        """Return name, value and meaning of each number."""
        rows = [("distance", _number(self.distance), "what the outcome rests on: from 0 (alike) to 2")]
        if self.divergence is not None:
            rows += _figures_of_divergence(self.divergence)
        rows += [
            (
                "authenticity threshold",
                _number(self.authenticity_threshold),
                "farther than this, a photograph diverges",
            ),
            ("match threshold", _number(self.match_threshold), "nearer than this, an object of the catalogue is found"),
        ]
        return rows + (_figures_of_registration(self.registration) if self.registration is not None else [])


def _figures_of_divergence(divergence: Divergence) -> list[tuple[str, str, str]]:
    compared = 1.0 - float(np.isnan(divergence.map).mean())
    overlaid = sum(overlay.share for overlay in divergence.overlays)
    return [
        (
            "global distance",
            _number(divergence.global_distance),
            "between the two photographs as wholes: finds the object",
        ),
        ("local distance", _number(divergence.local_distance), "at the places of the registered pair that differ most"),
        ("compared", f"{compared:.1%}", "of the exemplar; the rest is hidden, or not on the photograph"),
        ("overlays", f"{overlaid:.1%}", "of the exemplar under plates and glare, which were left out"),
    ]


def _figures_of_registration(found: Registration) -> list[tuple[str, str, str]]:
    mirrored = "yes" if found.mirrored else "no"
    return [
        ("matched points", str(found.inliers), "look alike, and lie where a single view of the same surface puts them"),
        ("overlap of exemplar", f"{found.overlap_exemplar:.0%}", "of the exemplar is on the photograph"),
        (
            "overlap of probe",
            f"{found.overlap_probe:.0%}",
            "of the photograph shows the exemplar; the rest is around it",
        ),
        ("residual", f"{found.residual:.2%}", "median error of the matched points, of the exemplar's diagonal"),
        ("mirrored", mirrored, "whether the photograph shows the object mirrored, left to right"),
    ]


def render_evidence(evidence: Evidence) -> Iterator[str]:
    """Yield the page in pieces."""
    above, below = _template("evidence.html").split("<!-- sections -->")
    script = _template("evidence.js")
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    yield Template(above).substitute(_heading(evidence), script_hash=hashed)
    if evidence.divergence is not None:
        yield registered_section(evidence, evidence.divergence)
        yield places_section(evidence, evidence.divergence)
    else:
        yield unregistered_section(evidence)
    if evidence.registration is not None:
        yield matched_section(evidence, evidence.registration)
    yield _figures(evidence) + _record(evidence)
    yield Template(below).substitute(script=script)


def _template(name: str) -> str:
    return (files("cli") / "templates" / name).read_text("utf-8")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _heading(evidence: Evidence) -> dict[str, str]:
    """Return what the top of the template leaves open."""
    match = evidence.match_threshold if evidence.divergence is None else None  # it is one of the global distance
    limits = {"match_threshold": match, "authenticity_threshold": evidence.authenticity_threshold}
    said = "".join(f"<li>{escaped(reason)}</li>" for reason in evidence.reasons if reason != evidence.thresholds_basis)
    return {
        "style": _template("screening.css") + _template("evidence.css"),
        "name": escaped(evidence.photo.name),
        "object": escaped(evidence.object_id),
        "title": escaped(evidence.title),
        "outcome": escaped(evidence.outcome),
        "sign": SIGNS[evidence.outcome],
        "verdict": escaped(evidence.verdict),
        "bar": f'<div class="{evidence.outcome}">{bar({"distance": evidence.distance} | limits)}</div>',
        "reasons": f'<ul class="reasons">{said}</ul>\n' if said else "",
        "photo_size": "{} x {}".format(*evidence.photo_size),
        "sha256": escaped(evidence.sha256),
        "exemplar": escaped(evidence.exemplar.name),
        "exemplar_size": "{} x {}".format(*evidence.exemplar_size),
        "revision": str(evidence.revision),
        "encoder": escaped(evidence.encoder),
        "written": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
    }


def _figures(evidence: Evidence) -> str:
    """Return each number with its meaning in words."""
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{value}</td><td>{meaning}</td></tr>\n'
        for name, value, meaning in evidence.figures()
    )
    basis = escaped(evidence.thresholds_basis)
    return (
        f"<section>\n<h2>The figures</h2>\n<table>\n<tbody>\n{rows}</tbody>\n</table>\n"
        + (f'<p class="remark">{basis}.</p>\n' if basis else "")
        + "</section>\n"
    )


def _record(evidence: Evidence) -> str:
    """Return what the catalogue says of the object."""
    known = {name: value for name, value in evidence.metadata.items() if value.strip()}
    rows = "".join(
        f"<dt><bdi>{escaped(name)}</bdi></dt><dd><bdi>{escaped(' '.join(value.split()))}</bdi></dd>\n"
        for name, value in known.items()
    )
    listed = f'<dl class="record">\n{rows}</dl>\n' if rows else "<p>The catalogue says nothing more of it.</p>\n"
    return f"<section>\n<h2>The object <bdi>{escaped(evidence.object_id)}</bdi></h2>\n{listed}</section>\n"
