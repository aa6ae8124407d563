"""What the page that compares needs to know of a verdict made again, in the words of JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from cli.pictures.pyramid import Pyramid
from cli.records.registration_words import not_registered
from retrieval.catalogue.rows import Photo
from retrieval.comparing.divergence import Divergence, NotCompared, Place
from retrieval.comparing.registration import Registration, outline, project
from retrieval.finding.match import Match
from retrieval.moment import shown
from retrieval.photographs.facts import Facts
from retrieval.verdicts.entry import LogEntry

MOST_POINTS = 300
MOST_PLACES = 9  # one for each number key
NEVER_MARKED = ("file",)  # that two files have different names says nothing


def picture_json(key: str, made: Pyramid) -> dict[str, Any]:
    """Return where the tiles of a picture are, and how they are cut."""
    return {
        "key": key,
        "width": made.width,
        "height": made.height,
        "tile": made.tile,
        "levels": made.levels,
        "suffix": made.suffix,
    }


def pyramid_of(picture: Mapping[str, Any]) -> Pyramid:
    """Return how the tiles of a picture are cut."""
    return Pyramid(picture["width"], picture["height"], picture["tile"], picture["levels"], picture["suffix"])


def alignment_of(match: Match | None) -> np.ndarray | None:
    """Return the homography from the exemplar to the photograph, the refined one sooner; None: not registered."""
    if match is None or match.registered is None:
        return None
    return match.compared.homography if match.compared else match.registered.homography


def registered_json(match: Match | None, full: tuple[int, int], probe: tuple[int, int]) -> dict[str, Any]:
    """Return how exemplar and photograph lie on each other, where they differ, and which of their points agree.

    `full` and `probe` are width and height of both; places are in pixels of the exemplar.
    """
    homography = alignment_of(match)
    if match is None or match.registered is None or homography is None:
        return {"registered": False, "places": [], "overlays": [], "points": [], "outline": []}
    compared = match.compared
    return {
        "registered": True,
        "mirrored": match.registered.mirrored,
        "homography": homography.tolist(),
        "outline": _rounded(outline(homography, full, probe)),
        "points": _points(match.registered),
        "matched": match.registered.inliers,
        "places": _places(compared, homography) if compared else [],
        "overlays": [
            {
                "kind": each.kind,
                "share": each.share,
                "quad": _quad(each.box, None),
                "probe": _quad(each.box, homography),
            }
            for each in (compared.overlays if compared else ())
        ],
    }


def _points(registration: Registration) -> list[list[float]]:
    kept = registration.matched[:: -(-len(registration.matched) // MOST_POINTS)]
    return _rounded(kept + 0.5)


def _places(compared: Divergence, homography: np.ndarray) -> list[dict[str, Any]]:
    return [
        {
            "quad": _quad(place.box, None),
            "probe": _quad(place.box, homography),
            "distance": place.distance,
            "beyond": place.distance > compared.limit,
            "where": place.where,
            "how_much": how_much(place, compared.limit),
        }
        for place in compared.places[:MOST_PLACES]
    ]


def how_much(place: Place, limit: float) -> str:
    """Say how far a place differs, for people who are no statisticians."""
    if place.distance <= limit:
        return "within what genuine photographs show"
    ratio = place.distance / limit if limit > 0 else math.inf
    return "beyond the threshold" if ratio < 1.5 else "far beyond the threshold"


def _quad(box: Sequence[int], homography: np.ndarray | None) -> list[list[float]]:
    left, top, width, height = box
    corners = np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)], float)
    onto = corners if homography is None else project(homography, corners)
    return [] if onto is None else _rounded(onto)


def _rounded(values: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 1) for value in row] for row in values]


def remarks_of(match: Match | None) -> list[str]:
    """Say why something is not shown, each as a sentence."""
    if match is None:
        return []
    if match.registered is None:
        return [f"The two {not_registered(match, 'laid over each other')}. Each is moved by itself."]
    if match.compared is None:
        reason = match.divergence.reason if isinstance(match.divergence, NotCompared) else "it was not tried"
        return [f"Nothing was compared place by place: {reason}."]
    return []


def facts_table(exemplar: Mapping[str, str], photograph: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what both files say, side by side, and which of it differs."""
    names = [*exemplar, *(name for name in photograph if name not in exemplar)]
    rows = []
    for name in names:
        one, other = exemplar.get(name, ""), photograph.get(name, "")
        rows.append({"name": name, "exemplar": one, "photograph": other, "differs": _differs(name, one, other)})
    return rows


def _differs(name: str, one: str, other: str) -> bool:
    return one != other and name not in NEVER_MARKED


def exemplar_facts(photo: Photo, facts: Facts | None) -> dict[str, str]:
    """Return what is known of an exemplar; without its file what the catalogue knows."""
    return _facts(photo.file.name, photo.width, photo.height, photo.sha256, photo.bytes, photo.modified_ns, facts)


def photograph_facts(entry: LogEntry, size: tuple[int, int], facts: Facts) -> dict[str, str]:
    """Return what is known of a photograph."""
    assert entry.sha256 is not None, "it was read"
    name = entry.name.rpartition("/")[2]
    return _facts(name, *size, entry.sha256, facts.bytes, facts.modified_ns, facts)


def _facts(
    name: str, width: int, height: int, sha256: str, size: int, modified_ns: int, facts: Facts | None
) -> dict[str, str]:
    modified = datetime.fromtimestamp(modified_ns / 1e9, UTC).isoformat(timespec="seconds")
    found = {
        "file": name,
        "format": facts.kind if facts else "",
        "pixels": f"{width:,} x {height:,}",
        "file size": _size(size),
        "file changed": shown(modified),
        **(facts.said if facts else {}),
        "SHA-256": sha256,
    }
    return {name: value for name, value in found.items() if value}


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
