"""Prepare the pictures of the page of evidence: side by side, slider, map, worst places, matched points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cli.evidence.evidence import Evidence
from cli.pictures.data_uri import data_uri
from cli.pictures.maps import draw_map, enlarged, fitted, ramp, scale_end, surroundings
from retrieval.comparing.divergence import Divergence, Place
from retrieval.comparing.overlays import Box, Overlay

LONG_SIDE, PLACE_SIDE = 1000, 400
TALL = 0.6  # width over height, up to which four pictures lie in a row
HEIGHT, BETWEEN, LINES = 600, 24, 40  # of the photographs between which so many matched points are joined
AS_IT_IS = "Photograph, as it is"
LAID_OVER = "Photograph, laid over the exemplar, colours fitted; grey where it shows nothing"


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline over a picture, in percent of it, with a label."""

    label: str
    kind: str
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, box: Box, size: tuple[int, int], label: str, kind: str = "place") -> Outline:
        """Return the outline of a box in a picture of that size; its label lies where there is room."""
        left, top, width, height = (100 * length / size[axis % 2] for axis, length in enumerate(box))
        kind += (" right" if left > 70 else "") + ("" if top > 6 else " below" if top + height < 94 else " inside")
        return cls(label, kind, left, top, width, height)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the page shows it, with what lies over it."""

    uri: str
    alt: str
    width: int
    height: int
    outlines: tuple[Outline, ...] = ()

    @classmethod
    def of(cls, image: Image.Image, alt: str = "", outlines: tuple[Outline, ...] = ()) -> Shown:
        """Return a picture at its own size."""
        return cls(data_uri(image), alt, *image.size, outlines)

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class Map:
    """The map of local distances, with its scale, and what the colours say in words."""

    shown: Shown
    colours: tuple[str, ...]  # of the scale, from 0 to its end
    end: float
    threshold: float
    beyond: float  # share of what was compared
    overlays: tuple[Overlay, ...]

    @classmethod
    def of(cls, evidence: Evidence, divergence: Divergence) -> Map:
        """Return the map over the exemplar, with overlays and worst places outlined."""
        assert evidence.pair is not None and evidence.known_exemplar is not None
        size, local, limit = (
            (evidence.known_exemplar.width, evidence.known_exemplar.height),
            divergence.map,
            evidence.limit,
        )
        outlines = [Outline.of(overlay.box, size, overlay.kind, "overlay") for overlay in divergence.overlays]
        outlines += [Outline.of(place.box, size, str(number)) for number, place in enumerate(evidence.worst, 1)]
        drawn = draw_map(local, fitted(evidence.pair[0], LONG_SIDE, LONG_SIDE), limit)
        return cls(
            Shown.of(drawn, "map of local distances over the exemplar", tuple(outlines)),
            colours=tuple(f"#{bytes(colour).hex()}" for colour in ramp(21)),
            end=scale_end(local, limit),
            threshold=limit,
            beyond=float((local[~np.isnan(local)] > limit).mean()),
            overlays=divergence.overlays,
        )


@dataclass(frozen=True, slots=True)
class Views:
    """Exemplar and photograph, and where they are registered the slider between them and the map."""

    shape: str
    in_a_row: int  # on paper
    exemplar: Shown | None
    photograph: Shown
    said: str  # of the photograph
    slider_ratio: float | None
    map: Map | None

    @classmethod
    def of(cls, evidence: Evidence) -> Views:
        """Return the pictures, laid over each other where that is known."""
        exemplar, photograph = evidence.pictures
        mirrored = evidence.pair and evidence.registration and evidence.registration.mirrored
        drawn = Map.of(evidence, evidence.divergence) if evidence.pair and evidence.divergence else None
        return cls(
            shape="wide" if evidence.is_wide else "tall" if evidence.proportions < TALL else "",
            in_a_row=1 if evidence.is_wide else 3 if drawn else 2,
            exemplar=Shown.of(fitted(exemplar, LONG_SIDE, LONG_SIDE), "exemplar") if exemplar else None,
            photograph=Shown.of(fitted(photograph, LONG_SIDE, LONG_SIDE), "photograph"),
            said=(LAID_OVER if evidence.pair else AS_IT_IS)
            + ("; it was mirrored, and is turned back" if mirrored else ""),
            slider_ratio=evidence.proportions if evidence.pair else None,
            map=drawn,
        )


def places(evidence: Evidence) -> list[tuple[Place, Iterator[Shown]]]:
    """Return the worst places, each enlarged from both pictures; none where they cannot be shown."""
    if evidence.pair is None or evidence.known_exemplar is None:
        return []
    size = evidence.known_exemplar.width, evidence.known_exemplar.height
    return [
        (place, _enlarged(evidence.pair, place.box, size, number)) for number, place in enumerate(evidence.worst, 1)
    ]


def _enlarged(pair: tuple[Image.Image, Image.Image], box: Box, size: tuple[int, int], number: int) -> Iterator[Shown]:
    around = surroundings(box, size)
    inside = (box[0] - around[0], box[1] - around[1], *box[2:])
    outline = Outline.of(inside, around[2:], str(number))
    for image, name in zip(pair, ("exemplar", "photograph"), strict=True):
        yield Shown.of(enlarged(image, around, size, PLACE_SIDE), f"place {number}, {name}", (outline,))


@dataclass(frozen=True, slots=True, eq=False)
class MatchedPoints:
    """Both photographs as they are side by side, with lines between points that match."""

    exemplar: Shown
    photograph: Shown
    start: int  # where the photograph begins
    around: np.ndarray  # where the corners of the exemplar fall on the photograph, (4, 2)
    lines: np.ndarray  # between points, (n, 4)
    matched: int  # points, of which a part is joined

    @classmethod
    def of(cls, evidence: Evidence) -> MatchedPoints | None:
        """Return the matched points, or None where there are none to show."""
        found, probe, exemplar = evidence.registration, evidence.probe, evidence.known_exemplar
        if found is None or exemplar is None:
            return None
        left, right = (Shown.of(fitted(each.image, 2 * HEIGHT, HEIGHT)) for each in (exemplar, probe))
        start = left.width + BETWEEN
        shown = np.array([left.width, left.height, right.width, right.height])
        scale = shown / (exemplar.width, exemplar.height, probe.width, probe.height)
        kept = found.matched[:: -(-len(found.matched) // LINES)]
        around = (_corners(found.homography, (exemplar.width, exemplar.height)) + 0.5) * scale[2:]
        return cls(left, right, start, around, (kept + 0.5) * scale + (0, 0, start, 0), found.inliers)

    @property
    def outline(self) -> str:
        """The exemplar's outline on the photograph, as a path."""
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in self.around) + "Z"

    @property
    def joined(self) -> str:
        """The lines, as a path."""
        return "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in self.lines)

    @property
    def ends(self) -> str:
        """The points, as a path."""
        return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in self.lines.reshape(-1, 2))


def _corners(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return where the corners of a picture of that size fall, float64 (4, 2)."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    corners = np.array([(-0.5, -0.5, 1), (right, -0.5, 1), (right, bottom, 1), (-0.5, bottom, 1)]) @ homography.T
    return np.asarray(corners[:, :2] / corners[:, 2:])
