"""Write a screening as one self-contained HTML page."""

from __future__ import annotations

import base64
import html
import io
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from math import ceil, inf
from pathlib import Path
from string import Template
from typing import Any

from cli.output import UNREADABLE, Record, plain
from retrieval.catalogue import Catalogue
from retrieval.decision import Outcome
from retrieval.errors import ArtifactError, UnreadableImage
from retrieval.images import read_photograph

# In the order of what needs a person, each with a sign for those who do not see its colour.
SIGNS: Mapping[str, str] = {
    Outcome.DIVERGENT: "!", Outcome.INCONCLUSIVE: "?", UNREADABLE: "✕", Outcome.CONSISTENT: "≈", Outcome.NO_MATCH: "○",
}  # fmt: skip
LONG_SIDE, QUALITY = 220, 80
PROVISIONAL, CALIBRATION, OUT_OF_DATE = "provisional", "calibration", "calibration out of date"  # begin sentences


@dataclass(frozen=True, slots=True)
class Basis:
    """What the judgements rest on, as the records say it."""

    encoder: str = "none"
    revision: str = "none"
    match: float | None = None
    authenticity: float | None = None
    remarks: tuple[str, ...] = ()  # the sentences that say where the thresholds come from


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture small enough for the page, or why there is none."""

    uri: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""


def render_html(
    records: Callable[[], Iterator[Record]],
    counts: Mapping[str, int],
    *,
    folder: Path,
    data: Path,
    on_progress: Callable[[int, int], None],
) -> Iterator[str]:
    """Yield the page in pieces, reading the records once for each outcome; what needs a person comes first."""
    basis = basis_of(records())
    above, below = (files("cli") / "templates/screening.html").read_text("utf-8").split("<!-- entries -->")
    yield Template(above).substitute(_heading(folder, basis, counts))
    done = 0
    with ExitStack() as stack:
        reference = Reference.opened(data, stack)
        for outcome in SIGNS:
            title = f"<h2>{outcome}: {counts[outcome]}</h2>\n" if counts.get(outcome) else ""
            yield f'<section id="{outcome}" class="{outcome}">\n{title}'
            for found, work in _of_outcome(records(), outcome) if title else ():
                yield _entry(found, work, folder, reference, basis)
                done += 1
                on_progress(done, sum(counts.values()))
            yield "</section>\n"
    yield below


def basis_of(records: Iterator[Record]) -> Basis:
    """Return what the records say of encoder, revision and thresholds, reading no more of them than needed."""
    basis = Basis()
    for found in records:
        basis = replace(basis, encoder=str(found["encoder"]), revision=str(found["revision"]))
        for work in (work for work in found["works"] if work["matches"]):
            match, authenticity = (work["matches"][0][f"{kind}_threshold"] for kind in ("match", "authenticity"))
            new = [reason for reason in work["reasons"] if reason.startswith((PROVISIONAL, CALIBRATION))]
            remarks = tuple(dict.fromkeys([*basis.remarks, *new]))
            basis = replace(basis, match=match, authenticity=authenticity, remarks=remarks)
            if sum(not remark.startswith(OUT_OF_DATE) for remark in remarks) == 2:  # of the combined and the global one
                return basis
    return basis


def _of_outcome(records: Iterator[Record], outcome: str) -> Iterator[tuple[Record, Record | None]]:
    """Yield each work of this outcome with its record; None where the photograph is unreadable."""
    for found in records:
        yield from ((found, work) for work in found["works"] if work["outcome"] == outcome)
        if not found["works"] and outcome == UNREADABLE:
            yield found, None


class Reference:
    """What the catalogue says of an object now; since the screening it may have changed, or gone."""

    def __init__(self, catalogue: Catalogue | None) -> None:
        self._catalogue = catalogue
        self.name = lru_cache(maxsize=1024)(self._name)
        self.thumbnail = lru_cache(maxsize=128)(self._thumbnail)

    @classmethod
    def opened(cls, data: Path, stack: ExitStack) -> Reference:
        """Open the catalogue until the stack closes; without one, objects have ids and nothing else."""
        try:
            return cls(stack.enter_context(Catalogue.reading(data)))
        except ArtifactError:
            return cls(None)

    def _name(self, object_id: str) -> str:
        metadata: Mapping[str, str] = {}
        with suppress(ArtifactError, sqlite3.Error, UnicodeError):
            metadata = self._catalogue.object(object_id).metadata if self._catalogue else {}
        title, maker = (" ".join(metadata.get(field, "").split()) for field in ("title", "maker"))
        return f"{title}, {maker}" if title and maker else title or maker

    def _thumbnail(self, object_id: str, exemplar: str) -> Thumbnail:
        sha256 = None
        with suppress(sqlite3.Error, UnicodeError):
            photos = self._catalogue.photos(object_id) if self._catalogue else []
            sha256 = next((photo.sha256 for photo in photos if str(photo.file) == exemplar), None)
        return thumbnail(exemplar, sha256)


def thumbnail(path: str, sha256: str | None, region: tuple[int, ...] = ()) -> Thumbnail:
    """Return a photograph, or its region (x, y, width, height), small; of a file with another hash, why not."""
    try:
        photograph = read_photograph(Path(path), short_side=LONG_SIDE, max_megapixels=inf)  # it was read before
    except UnreadableImage as error:
        return Thumbnail(problem=str(error))
    if sha256 and photograph.sha256 != sha256:
        return Thumbnail(problem="not shown: the file has changed since it was judged or indexed")
    image, size = photograph.image, (photograph.width, photograph.height)
    if region and region != (0, 0, *size):
        x, y, width, height = region
        left, top, right, bottom = (at * image.width / size[0] for at in (x, y, x + width, y + height))
        image = image.crop((int(left), int(top), min(ceil(right), image.width), min(ceil(bottom), image.height)))
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return Thumbnail("data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode(), image.size)


def _text(value: Any) -> str:
    """Return text from outside in a form that is safe anywhere in the page."""
    return html.escape(plain(str(value)), quote=True)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _heading(folder: Path, basis: Basis, counts: Mapping[str, int]) -> dict[str, str]:
    """Return what the top of the template leaves open."""
    total, place = sum(counts.values()), folder.resolve()
    return {
        "style": (files("cli") / "templates/screening.css").read_text("utf-8"),
        "name": _text(place.name or place),
        "folder": _text(place),
        "written": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
        "revision": _text(basis.revision),
        "encoder": _text(basis.encoder),
        "authenticity": _number(basis.authenticity),
        "match": _number(basis.match),
        "remark": "".join(f'<p class="remark">{_text(remark)}.</p>\n' for remark in basis.remarks),
        "total": f"{total} work{'' if total == 1 else 's'}" if total else "There are no photographs in this folder",
    } | {outcome.replace("-", "_"): str(counts.get(outcome, 0)) for outcome in SIGNS}


def _entry(found: Record, work: Record | None, folder: Path, reference: Reference, basis: Basis) -> str:
    """Return one work: its pictures, and what is said of it."""
    photo, sha256 = Path(found["photo"]), found["sha256"] or ""
    name = _text(photo.relative_to(folder) if photo.is_relative_to(folder) else photo)
    if work is None:
        outcome, pictures = UNREADABLE, _figure(Thumbnail(problem="no picture"), "")
        words = f'<ul class="reasons"><li>{_text(found["error"])}</li></ul>\n'
    else:
        outcome, words = work["outcome"], _judgement(work, reference, basis)
        pictures = _pictures(found, work, reference)
        if len(found["works"]) > 1:
            name += f" <small>work {found['works'].index(work) + 1} of {len(found['works'])}</small>"
    hashed = f'<p class="hash">SHA-256 <code title="{_text(sha256)}">{_text(sha256[:16])}…</code></p>' if sha256 else ""
    return (
        f'<article>\n<div class="pictures">\n{pictures}</div>\n<div>\n<h3><span class="badge">'
        f'<span aria-hidden="true">{SIGNS[outcome]}</span> {outcome}</span> <bdi>{name}</bdi></h3>\n'
        f"{words}{hashed}\n</div>\n</article>\n"
    )


def _pictures(found: Record, work: Record, reference: Reference) -> str:
    probe = _figure(thumbnail(found["photo"], found["sha256"], tuple(work["region"])), "probe")
    if not work["matches"]:
        return probe
    best, outcome = work["matches"][0], work["outcome"]
    shown = reference.thumbnail(best["object_id"], best["exemplar"])
    said = {Outcome.NO_MATCH: "nearest, not a match", Outcome.INCONCLUSIVE: "nearest"}.get(outcome, "exemplar")
    caption = f"{said}: <bdi>{_text(Path(best['exemplar']).name)}</bdi>"
    return probe + _figure(shown, caption, "aside" if outcome == Outcome.NO_MATCH else "")


def _figure(shown: Thumbnail, caption: str, kind: str = "") -> str:
    """Return a picture, or a grey field with the reason why there is none; the caption is HTML."""
    image = f'<img src="{shown.uri}" width="{shown.size[0]}" height="{shown.size[1]}" alt="">'
    picture = f'<div class="missing">{_text(shown.problem)}</div>' if shown.problem else image
    return f'<figure class="{kind}">{picture}<figcaption>{caption}</figcaption></figure>\n'


def _judgement(work: Record, reference: Reference, basis: Basis) -> str:
    """Return the object, the distance, the reasons but the one that stands above all, and what else is near."""
    reasons = "".join(f"<li>{_text(reason)}</li>" for reason in work["reasons"] if reason not in basis.remarks)
    listed = f'<ul class="reasons">{reasons}</ul>\n'
    if not work["matches"]:
        return listed
    best, *others = work["matches"]
    nearest = "" if work["outcome"] in (Outcome.CONSISTENT, Outcome.DIVERGENT) else "nearest: "
    near = "".join(f"<li><bdi>{_text(other['object_id'])}</bdi> {other['distance']:.3f}</li>\n" for other in others)
    said = any(remark in work["reasons"] for remark in basis.remarks if remark.startswith(PROVISIONAL))
    provisional = ' <span class="soft">(thresholds are provisional)</span>' if said else ""
    name, judged = _judged(best)
    return (
        f'<p class="object">{nearest}<b><bdi>{_text(best["object_id"])}</bdi></b> '
        f"<bdi>{_text(reference.name(best['object_id']))}</bdi></p>\n"
        f'<p class="distance">{name} <b>{judged["distance"]:.3f}</b>{provisional}</p>\n{bar(judged)}{listed}'
        + (f'<ul class="next"><li>next nearest</li>\n{near}</ul>\n' if near else "")
    )


def _judged(best: Record) -> tuple[str, Record]:
    """Return the name of the distance that decided, and it with its thresholds: the combined, or the global one."""
    found = best.get("divergence")
    if not found or found.get("combined_threshold") is None:
        return "distance", best
    local = {"distance": found["combined"], "authenticity_threshold": found["combined_threshold"]}
    return "combined distance", {**local, "match_threshold": None}


def _end(largest: float) -> float:
    """Return where a scale ends: a little beyond the largest value, but not beyond 2 for the sake of that."""
    return max(largest, min(2.0, 1.2 * largest)) or 1.0


def bar(best: Record) -> str:
    """Draw the distance of a match from 0, with both thresholds; positions are shares of the width."""
    values = {"authenticity": best["authenticity_threshold"], "match": best["match_threshold"]}
    known = {name: value for name, value in values.items() if value is not None}
    share = 100 / (end := _end(max([best["distance"], *known.values()])))
    marks = "".join(
        f'<line class="{name}" x1="{value * share:.2f}%" x2="{value * share:.2f}%" y1="{top}" y2="{top + 21}"/>'
        f'<text x="{value * share:.2f}%" y="{baseline}" text-anchor="{"end" if value > end / 2 else "start"}">'
        f"{name} {value:.3f}</text>"
        for (name, value), (top, baseline) in zip(values.items(), ((14, 11), (17, 49)), strict=True)
        if value is not None
    )
    said = "; ".join([f"distance {best['distance']:.3f}", *(f"{name} threshold {v:.3f}" for name, v in known.items())])
    return (
        f'<div class="bar"><span>0</span><svg role="img" aria-label="{said}"><rect width="100%" height="18" y="17"/>'
        f'<rect class="value" width="{best["distance"] * share:.2f}%" height="8" y="22"/>{marks}</svg>'
        f"<span>{end:.2f}</span></div>\n"
    )
