"""Prepare the pictures of the page of evidence: side by side, slider, map, worst places, matched points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from cli.evidence.evidence import Evidence
from cli.pictures.data_uri import data_uri
from cli.pictures.maps import draw_map, enlarged_part, fitted_picture, ramp, scale_end, surroundings
from retrieval.comparing.divergence import Divergence, Place
from retrieval.comparing.overlays import Box, Overlay

LONG_SIDE, PLACE_SIDE = 1000, 400
TALL = 0.6  # width over height, up to which four pictures lie in a row
HEIGHT, BETWEEN, LINES = (
    600,
    24,
    40,
)  # of photographs side by side: height, room between the two, and most lines that join matched points


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
        """Return the outline of a box in a picture of `size`; the label of the outline lies where there is room."""
        left, top, width, height = (100 * length / size[axis % 2] for axis, length in enumerate(box))
        kind += (" right" if left > 70 else "") + ("" if top > 6 else " below" if top + height < 94 else " inside")
        return cls(label, kind, left, top, width, height)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as the page shows the picture, with the outlines over it."""

    uri: str
    alt: str
    width: int
    height: int
    outlines: Sequence[Outline] = ()

    @classmethod
    def of(cls, image: Image.Image, alt: str = "", outlines: Sequence[Outline] = ()) -> Shown:
        """Return a picture at its own size."""
        return cls(data_uri(image), alt, *image.size, outlines)

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True)
class MapPicture:
    """The map of local distances over the exemplar, with its scale."""

    shown: Shown
    colours: Sequence[str]
    end: float  # of the scale
    threshold: float
    beyond: float  # share of what was compared
    overlays: Sequence[Overlay]


@dataclass(frozen=True, slots=True)
class PairPictures:
    """Exemplar and photograph, with the map where the two were compared."""

    shape: str
    in_a_row: int  # on paper
    exemplar: Shown | None
    photograph: Shown
    mirrored: bool
    registered: bool
    ratio: float
    map: MapPicture | None


@dataclass(frozen=True, slots=True)
class MatchedPoints:
    """Exemplar and photograph side by side, with paths of SVG over both, and how many points are joined of how many."""

    exemplar: Shown
    photograph: Shown
    start: int  # where the photograph begins
    outline: str  # of the exemplar, on the photograph
    lines: str
    ends: str
    joined: int
    matched: int


def pair_pictures(evidence: Evidence) -> PairPictures:
    """Return exemplar and photograph, and where they are registered the slider between them and the map."""
    exemplar, photograph = evidence.pictures
    drawn = _map(evidence, evidence.divergence) if evidence.pair and evidence.divergence else None
    return PairPictures(
        shape="wide" if evidence.is_wide else "tall" if evidence.proportions < TALL else "",
        in_a_row=1 if evidence.is_wide else 3 if drawn else 2,
        exemplar=Shown.of(fitted_picture(exemplar, LONG_SIDE, LONG_SIDE), "exemplar") if exemplar else None,
        photograph=Shown.of(fitted_picture(photograph, LONG_SIDE, LONG_SIDE), "photograph"),
        mirrored=bool(evidence.pair and evidence.registration and evidence.registration.mirrored),
        registered=evidence.pair is not None,
        ratio=evidence.proportions,
        map=drawn,
    )


def _map(evidence: Evidence, divergence: Divergence) -> MapPicture:
    """Return the map over the exemplar, with overlays and worst places outlined."""
    assert evidence.pair is not None and evidence.known_exemplar is not None
    size = evidence.known_exemplar.width, evidence.known_exemplar.height
    local, limit = divergence.map, evidence.limit
    outlines = [Outline.of(overlay.box, size, overlay.kind, "overlay") for overlay in divergence.overlays]
    outlines += [Outline.of(place.box, size, str(number)) for number, place in enumerate(evidence.worst, 1)]
    drawn = draw_map(local, fitted_picture(evidence.pair[0], LONG_SIDE, LONG_SIDE), limit)
    return MapPicture(
        shown=Shown.of(drawn, "map of local distances over the exemplar", outlines),
        colours=[f"#{bytes(colour).hex()}" for colour in ramp(21)],
        end=scale_end(local, limit),
        threshold=limit,
        beyond=float((local[~np.isnan(local)] > limit).mean()),
        overlays=divergence.overlays,
    )


def places(evidence: Evidence) -> list[tuple[Place, Iterator[Shown]]]:
    """Return the worst places, each enlarged from both pictures; none where the two pictures cannot be shown."""
    if evidence.pair is None or evidence.known_exemplar is None:
        return []
    size = evidence.known_exemplar.width, evidence.known_exemplar.height
    return [
        (place, _enlarged_pair(evidence.pair, place.box, size, number))
        for number, place in enumerate(evidence.worst, 1)
    ]


def _enlarged_pair(
    pair: tuple[Image.Image, Image.Image], box: Box, size: tuple[int, int], number: int
) -> Iterator[Shown]:
    around = surroundings(box, size)
    inside = (box[0] - around[0], box[1] - around[1], *box[2:])
    outline = Outline.of(inside, around[2:], str(number))
    for image, name in zip(pair, ("exemplar", "photograph"), strict=True):
        yield Shown.of(enlarged_part(image, around, size, PLACE_SIDE), f"place {number}, {name}", (outline,))


def matched_points(evidence: Evidence) -> MatchedPoints | None:
    """Return exemplar and probe as read, side by side, the matched points joined; None if not registered."""
    registration, probe, exemplar = evidence.registration, evidence.probe, evidence.known_exemplar
    if registration is None or exemplar is None:
        return None
    left, right = (Shown.of(fitted_picture(each.image, 2 * HEIGHT, HEIGHT)) for each in (exemplar, probe))
    start = left.width + BETWEEN  # where the photograph begins
    shown = np.array([left.width, left.height, right.width, right.height])
    scale = shown / (exemplar.width, exemplar.height, probe.width, probe.height)
    kept = registration.matched[:: -(-len(registration.matched) // LINES)]
    lines = (kept + 0.5) * scale + (0, 0, start, 0)
    around = (_corners(registration.homography, (exemplar.width, exemplar.height)) + 0.5) * scale[2:]
    return MatchedPoints(
        exemplar=left,
        photograph=right,
        start=start,
        outline="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in around) + "Z",
        lines="".join(f"M{x:.1f} {y:.1f}L{end_x:.1f} {end_y:.1f}" for x, y, end_x, end_y in lines),
        ends="".join(f"M{x:.1f} {y:.1f}h0" for x, y in lines.reshape(-1, 2)),
        joined=len(kept),
        matched=registration.inliers,
    )


def _corners(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return where the corners of a picture of `size` fall, float64 (4, 2)."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    corners = np.array([(-0.5, -0.5, 1), (right, -0.5, 1), (right, bottom, 1), (-0.5, bottom, 1)]) @ homography.T
    return np.asarray(corners[:, :2] / corners[:, 2:])
