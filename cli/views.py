"""Put the pictures of the evidence on the page: side by side, slider, map, worst places, matched points."""

from __future__ import annotations

import base64
import html
import io
from string import Template
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cli.drawing import VEIL, chosen, colours, draw_map, enlarged, fitted, scale_end, surroundings
from cli.output import plain

if TYPE_CHECKING:
    from cli.evidence import Evidence
    from retrieval.divergence import Box, Divergence
    from retrieval.registration import Registration

LONG_SIDE, PLACE_SIDE, QUALITY = 1000, 320, 85
HEIGHT, BETWEEN = 600, 24  # of the photographs between which matched points are joined


def escaped(value: object) -> str:
    """Return text from outside in a form that is safe anywhere in the page."""
    return html.escape(plain(str(value)), quote=True)


def _uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _frame(image: Image.Image, alt: str, over: str = "") -> str:
    """Return a picture in a frame of its proportions, with what lies over it."""
    inside = f'<img src="{_uri(image)}" alt="{alt}">{over}'
    return f'<div class="frame" style="--ratio:{image.width / image.height:.4f}">{inside}</div>'


def _pair(exemplar: Image.Image, probe: Image.Image, said: str) -> str:
    """Return the two pictures side by side."""
    frames = [
        _frame(fitted(picture, LONG_SIDE, LONG_SIDE), alt)
        for picture, alt in ((exemplar, "exemplar"), (probe, "photograph"))
    ]
    return (
        f'<div class="pair"><figure>{frames[0]}<figcaption>Exemplar: the genuine object</figcaption></figure>\n'
        f"<figure>{frames[1]}<figcaption>{said}</figcaption></figure></div>\n"
    )


def registered_section(evidence: Evidence, divergence: Divergence) -> str:
    """Return exemplar and registered photograph, the slider between them, and the map."""
    mirrored = ", turned back from its mirror image" if evidence.registration and evidence.registration.mirrored else ""
    said = f"Photograph, registered to the exemplar{mirrored}; its colours are fitted"
    pair = _pair(divergence.exemplar, divergence.probe, said)
    ratio = divergence.exemplar.width / divergence.exemplar.height
    return (
        f'<section>\n<h2>Exemplar and photograph</h2>\n<div class="views" style="--shown:3">\n{pair}'
        + Template(SLIDER).substitute(ratio=f"{ratio:.4f}")
        + f"{_map(evidence, divergence)}</div>\n</section>\n"
    )


SLIDER = """<figure class="compare wide" hidden><div class="frame stage" style="--ratio:$ratio">
<span class="side" aria-hidden="true">exemplar</span><span class="side" aria-hidden="true">photograph</span></div>
<div class="controls"><label>Slide <input type="range" min="0" max="100" value="50" step="any"
aria-label="share of the exemplar shown, from the left"></label>
<label><input type="checkbox"> <span class="lively">Flicker between the two</span><span class="calm">Show the photograph
alone</span></label></div></figure>
"""


def _map(evidence: Evidence, divergence: Divergence) -> str:
    """Return the map with its legend; what lies over it says in words what its colours say."""
    threshold, size = evidence.authenticity_threshold, evidence.exemplar_size
    labels = [
        _box(overlay.box, size, f"{escaped(overlay.kind)} {overlay.share:.1%}", "overlay")
        for overlay in divergence.overlays
    ]
    labels += [_box(place.box, size, str(number), "") for number, place in enumerate(evidence.worst, 1)]
    drawn = draw_map(divergence, threshold, fitted(divergence.exemplar, LONG_SIDE, LONG_SIDE).size)
    return (
        f'<figure class="wide map">{_frame(drawn, "map of local distances over the exemplar", "".join(labels))}\n'
        f"{_legend(divergence, threshold)}<figcaption>{_said_of_map(evidence, divergence)}</figcaption></figure>\n"
    )


def _said_of_map(evidence: Evidence, divergence: Divergence) -> str:
    edge, threshold = '<span class="swatch edge"></span>', evidence.authenticity_threshold
    compared = divergence.map[~np.isnan(divergence.map)]
    said = ["Local distance at each place of the exemplar"]
    if threshold is not None and len(compared):
        said.append(
            f"{edge} beyond the authenticity threshold: {(compared > threshold).mean():.1%} of what was compared"
        )
    said.append('<span class="swatch"></span> not compared')
    if divergence.overlays:
        listed = ", ".join(f"{escaped(overlay.kind)} {overlay.share:.1%}" for overlay in divergence.overlays)
        said.append(f'<span class="swatch dash"></span> overlays, with their share of the picture, left out: {listed}')
    else:
        said.append("no plate and no glare was found")
    return ".<br>".join(said) + "."


def _legend(divergence: Divergence, threshold: float | None) -> str:
    """Return the colour scale from 0 to its end, and the threshold marked at its share of the width."""
    end = scale_end(divergence, threshold)
    ramp = 160 + VEIL * (colours(np.linspace(0.0, 1.0, 21)) - 160)
    stops = ",".join("#" + bytes(colour.round().astype(np.uint8)).hex() for colour in ramp)
    mark = ""
    if threshold is not None:
        side = "mark left" if threshold > end / 2 else "mark"
        at = f"left:{100 * threshold / end:.2f}%"
        mark = f'<span class="{side}" style="{at}">authenticity threshold {threshold:.3f}</span>'
    return (
        f'<div class="scale">{mark}<span class="ramp" style="background:linear-gradient(90deg,{stops})"></span>'
        f'<span class="ends"><span>0</span><span>local distance</span><span>{end:.2f}</span></span></div>\n'
    )


def _box(box: Box, size: tuple[int, int], label: str, kind: str) -> str:
    """Return an outline over a picture of that size, in shares of it, with a label."""
    shares = (100 * length / size[axis % 2] for axis, length in enumerate(box))
    style = ";".join(
        f"{name}:{share:.2f}%" for name, share in zip(("left", "top", "width", "height"), shares, strict=True)
    )
    side = " right" if box[0] > 0.7 * size[0] else ""
    return f'<span class="box {kind}{side}" style="{style}"><b>{label}</b></span>'


def places_section(evidence: Evidence, divergence: Divergence) -> str:
    """Return the worst places, enlarged side by side."""
    size, items = evidence.exemplar_size, []
    for number, place in enumerate(evidence.worst, 1):
        around = surroundings(place.box, size)
        inside = (place.box[0] - around[0], place.box[1] - around[1], *place.box[2:])
        outline = _box(inside, around[2:], str(number), "")
        pair = "".join(
            _frame(enlarged(image, around, size, PLACE_SIDE), f"place {number}, {name}", outline)
            for image, name in ((divergence.exemplar, "exemplar"), (divergence.probe, "photograph"))
        )
        items.append(f"<li><div>{pair}</div><p><b>{number}</b>: {evidence.said_of(place)}</p></li>\n")
    listed = f'<ol class="places">\n{"".join(items)}</ol>\n' if items else "<p>No place stands out.</p>\n"
    return (
        '<section>\n<h2>Where the two differ most</h2>\n<p class="guide">Each place enlarged: the exemplar on the '
        f"left, the registered photograph on the right.</p>\n{listed}</section>\n"
    )


def unregistered_section(evidence: Evidence) -> str:
    """Return why the two were not compared place by place, and both as they are."""
    pair = _pair(evidence.exemplar_image, evidence.probe_image, "Photograph, as it is")
    return (
        f'<section>\n<h2>Exemplar and photograph</h2>\n<p class="remark">{escaped(evidence.not_registered)}</p>\n'
        f'<div class="views" style="--shown:2">\n{pair}</div>\n</section>\n'
    )


def matched_section(evidence: Evidence, found: Registration) -> str:
    """Return both photographs as they are, with lines between points that match."""
    pictures = [
        picture.resize((max(1, round(HEIGHT * picture.width / picture.height)), HEIGHT))
        for picture in (evidence.exemplar_image, evidence.probe_image)
    ]
    start = pictures[0].width + BETWEEN  # where the photograph begins
    across, scale = start + pictures[1].width, np.array(evidence.exemplar_size + evidence.photo_size)
    scale = np.array([side for picture in pictures for side in picture.size]) / scale
    kept = chosen(found.matched[:, :2])
    shown = (found.matched[kept] + 0.5) * scale + (0, 0, start, 0)
    outline = (_outline(found.homography, evidence.exemplar_size) + 0.5) * scale[2:] + (start, 0)
    images = "".join(
        f'<image href="{_uri(picture)}" x="{x}" width="{picture.width}" height="{HEIGHT}"/>'
        for picture, x in zip(pictures, (0, start), strict=True)
    )
    said = f"{len(kept)} of {found.inliers} matched points joined; dashed: where the exemplar lies on the photograph"
    return (
        f'<section>\n<h2>Matched points</h2>\n<figure><svg class="points" viewBox="0 0 {across} {HEIGHT}" role="img" '
        f'aria-label="{said}">{images}{_lines(shown, outline, across)}</svg>\n'
        f"<figcaption>Exemplar on the left, photograph as it is on the right; {said}.</figcaption></figure>\n"
        "</section>\n"
    )


def _outline(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return where the corners of a picture of that size fall, float64 (4, 2)."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    corners = np.array([(-0.5, -0.5, 1), (right, -0.5, 1), (right, bottom, 1), (-0.5, bottom, 1)]) @ homography.T
    return np.asarray(corners[:, :2] / corners[:, 2:])


def _lines(shown: np.ndarray, outline: np.ndarray, across: int) -> str:
    """Return the lines between points (n, 4), their ends, and an outline (4, 2), each dark upon light."""
    lines = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in shown)
    ends = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in shown.reshape(-1, 2))
    around = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in outline) + "Z"
    drawn = (("around", around), ("lines", lines), ("ends", ends))
    return "".join(f'<path class="{kind} light" d="{path}"/><path class="{kind}" d="{path}"/>' for kind, path in drawn)
