"""Show, on one page, where a probe and the genuine exemplar agree and where they differ."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from string import Template

from cli.evidence.evidence import Evidence
from cli.evidence.page_pictures import matched_section, pictures_section, places_section
from cli.output.text import escaped
from cli.pages.parts import SIGNS, bar
from retrieval.errors import UnreadableImage


def render_evidence(evidence: Evidence) -> Iterator[str]:
    """Yield the page in pieces."""
    above, below = _template("evidence.html").split("<!-- sections -->")
    script = _template("evidence.js")
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    yield Template(above).substitute(_heading(evidence), script_hash=hashed)
    yield pictures_section(evidence)
    yield places_section(evidence)
    yield matched_section(evidence)
    yield _figures(evidence) + _record(evidence)
    yield Template(below).substitute(script=script)


def _template(name: str) -> str:
    return (files("cli.pages") / "templates" / name).read_text("utf-8")


def _heading(evidence: Evidence) -> dict[str, str]:
    """Return what the top of the template leaves open."""
    probe, exemplar, outcome = evidence.probe, evidence.exemplar, evidence.decision.outcome
    name, distance, limit = evidence.judged_by
    matched = evidence.thresholds.match.value if evidence.thresholds and name == "global distance" else None
    drawn = bar({"distance": distance, "authenticity_threshold": limit, "match_threshold": matched})
    size = f", {exemplar.width} x {exemplar.height} pixels" if not isinstance(exemplar, UnreadableImage) else ""
    return {
        "style": _template("screening.css") + _template("evidence.css"),
        "name": escaped(probe.path.name),
        "object": escaped(evidence.match.object_id),
        "title": escaped(evidence.title),
        "outcome": outcome,
        "sign": SIGNS[outcome],
        "verdict": escaped(evidence.verdict),
        "bar": f'<p class="judged">{name} {distance:.3f}</p>\n{drawn}',
        "reasons": "".join(f"<li>{escaped(reason)}</li>" for reason in evidence.decision.reasons),
        "remarks": "".join(f'<p class="remark">{escaped(remark)}</p>\n' for remark in evidence.remarks),
        "photo_size": f"{probe.width} x {probe.height}",
        "sha256": escaped(probe.sha256),
        "exemplar": escaped(evidence.match.exemplar.name) + size,
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
    return f"<section>\n<h2>The figures</h2>\n<table>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n"


def _record(evidence: Evidence) -> str:
    """Return what the catalogue says of the object."""
    known = {name: " ".join(value.split()) for name, value in evidence.metadata.items() if value.strip()}
    rows = "".join(
        f"<dt><bdi>{escaped(name)}</bdi></dt><dd><bdi>{escaped(value)}</bdi></dd>\n" for name, value in known.items()
    )
    listed = f'<dl class="record">\n{rows}</dl>\n' if rows else "<p>The catalogue says nothing more of it.</p>\n"
    title = f"The object <bdi>{escaped(evidence.match.object_id)}</bdi>"
    return f'<section class="object-record">\n<h2>{title}</h2>\n{listed}</section>\n'
