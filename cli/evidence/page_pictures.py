"""Put the pictures of the evidence on the page: side by side, slider, map, worst places, matched points."""

from __future__ import annotations

import base64
import io
from string import Template
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cli.output.text import escaped
from cli.pictures.maps import draw_map, enlarged, fitted, ramp, scale_end, surroundings
from retrieval.comparing.divergence import Divergence
from retrieval.comparing.overlays import Box
from retrieval.errors import UnreadableImage

if TYPE_CHECKING:
    from cli.evidence.evidence import Evidence

LONG_SIDE, PLACE_SIDE, QUALITY = 1000, 400, 85
WIDE, TALL = 2.4, 0.6  # width over height, from which pictures lie one below the other, or four in a row
HEIGHT, BETWEEN, LINES = 600, 24, 40  # of the photographs between which so many matched points are joined


def _uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _frame(image: Image.Image, alt: str, over: str = "") -> str:
    """Return a picture in a frame of its proportions, with what lies over it."""
    inside = f'<img src="{_uri(image)}" alt="{alt}">{over}'
    return f'<div class="frame" style="--ratio:{image.width / image.height:.4f}">{inside}</div>'


def _figure(image: Image.Image | None, alt: str, caption: str) -> str:
    missing = '<div class="missing">cannot be shown</div>'
    frame = missing if image is None else _frame(fitted(image, LONG_SIDE, LONG_SIDE), alt)
    return f"<figure>{frame}<figcaption>{caption}</figcaption></figure>\n"


def pictures_section(evidence: Evidence) -> str:
    """Return exemplar and photograph, and where they are registered the slider between them and the map."""
    if evidence.pair is None:
        exemplar = None if isinstance(evidence.exemplar, UnreadableImage) else evidence.exemplar.image
        pair, said, more = (exemplar, evidence.probe.image), "Photograph, as it is", ""
    else:
        pair, said = evidence.pair, "Photograph, laid over the exemplar, colours fitted; grey where it shows nothing"
        if evidence.registration and evidence.registration.mirrored:
            said += "; it was mirrored, and is turned back"
        more = Template(SLIDER).substitute(ratio=f"{evidence.pair[0].width / evidence.pair[0].height:.4f}")
        more += _map(evidence, evidence.divergence) if evidence.divergence else ""
    ratio = pair[0].width / pair[0].height if pair[0] else 1.0
    shown = 1 if ratio > WIDE else 3 if evidence.pair and evidence.divergence else 2  # in a row, on paper
    shape = "wide" if ratio > WIDE else "tall" if ratio < TALL else ""
    figures = _figure(pair[0], "exemplar", "Exemplar: the genuine object") + _figure(pair[1], "photograph", said)
    return (
        f'<section>\n<h2>Exemplar and photograph</h2>\n<div class="views {shape}" style="--shown:{shown}">\n'
        f'<div class="pair">{figures}</div>\n{more}</div>\n</section>\n'
    )


SLIDER = """<figure class="compare" hidden><div class="frame stage" style="--ratio:$ratio">
<span class="side" aria-hidden="true">exemplar</span><span class="side" aria-hidden="true">photograph</span></div>
<div class="controls"><label>Slide <input type="range" min="0" max="100" value="50" step="any"
aria-label="share of the exemplar shown, from the left"></label>
<label><input type="checkbox"> <span class="lively">Flicker between the two</span><span class="calm">Show the photograph
alone</span></label></div></figure>
"""


def _map(evidence: Evidence, divergence: Divergence) -> str:
    """Return the map with its legend; what lies over it says in words what its colours say."""
    assert evidence.pair is not None and not isinstance(evidence.exemplar, UnreadableImage)
    size = evidence.exemplar.width, evidence.exemplar.height
    labels = [_box(overlay.box, size, escaped(overlay.kind), "overlay") for overlay in divergence.overlays]
    labels += [_box(place.box, size, str(number)) for number, place in enumerate(evidence.worst, 1)]
    drawn = draw_map(divergence.map, fitted(evidence.pair[0], LONG_SIDE, LONG_SIDE), evidence.limit)
    return (
        f'<figure class="map">{_frame(drawn, "map of local distances over the exemplar", "".join(labels))}\n'
        f"{_legend(divergence.map, evidence.limit)}"
        f"<figcaption>{_said_of_map(divergence, evidence.limit)}</figcaption></figure>\n"
    )


def _said_of_map(divergence: Divergence, threshold: float) -> str:
    beyond = (divergence.map[~np.isnan(divergence.map)] > threshold).mean()
    said = [
        "Local distance at each place of the exemplar; numbers: the worst places, enlarged below",
        f'<span class="swatch edge"></span> beyond the threshold: {beyond:.1%} of what was compared',
        '<span class="swatch"></span> not compared',
    ]
    if divergence.overlays:
        listed = ", ".join(f"{escaped(overlay.kind)} {overlay.share:.1%}" for overlay in divergence.overlays)
        said.append(f'<span class="swatch dash"></span> overlays, with their share of the picture, left out: {listed}')
    return ".<br>".join(said) + "."


def _legend(local: np.ndarray, threshold: float) -> str:
    """Return the colour scale from 0 to its end, and the threshold marked at its share of the width."""
    end, stops = scale_end(local, threshold), ",".join(f"#{bytes(colour).hex()}" for colour in ramp(21))
    side = "mark left" if threshold > end / 2 else "mark"  # where the words have room
    return (
        f'<div class="scale"><span class="{side}" style="left:{100 * threshold / end:.2f}%">threshold {threshold:.3f}'
        f'</span><span class="ramp" style="background:linear-gradient(90deg,{stops})"></span>'
        f'<span class="ends"><span>0</span><span>local distance</span><span>{end:.2f}</span></span></div>\n'
    )


def _box(box: Box, size: tuple[int, int], label: str, kind: str = "place") -> str:
    """Return an outline over a picture of that size, in shares of it, with a label."""
    left, top, width, height = (100 * length / size[axis % 2] for axis, length in enumerate(box))
    kind += (" right" if left > 70 else "") + ("" if top > 6 else " below" if top + height < 94 else " inside")
    style = f"left:{left:.2f}%;top:{top:.2f}%;width:{width:.2f}%;height:{height:.2f}%"
    return f'<span class="box {kind}" style="{style}"><b>{label}</b></span>'


def places_section(evidence: Evidence) -> str:
    """Return the worst places, enlarged side by side; nothing where they cannot be shown."""
    if not evidence.worst or evidence.pair is None or isinstance(evidence.exemplar, UnreadableImage):
        return ""
    size, items = (evidence.exemplar.width, evidence.exemplar.height), ""
    for number, place in enumerate(evidence.worst, 1):
        around = surroundings(place.box, size)
        inside = (place.box[0] - around[0], place.box[1] - around[1], *place.box[2:])
        outline = _box(inside, around[2:], str(number))
        pair = "".join(
            _frame(enlarged(image, around, size, PLACE_SIDE), f"place {number}, {name}", outline)
            for image, name in zip(evidence.pair, ("exemplar", "photograph"), strict=True)
        )
        items += f"<li><div>{pair}</div><p><b>{number}</b>: {evidence.said_of(place)}</p></li>\n"
    return (
        '<section>\n<h2>Where the two differ most</h2>\n<p class="guide">Each place enlarged: the exemplar on the '
        f'left, the photograph on the right.</p>\n<ol class="places">\n{items}</ol>\n</section>\n'
    )


def matched_section(evidence: Evidence) -> str:
    """Return both photographs as they are, with lines between points that match; nothing where there are none."""
    found, probe, exemplar = evidence.registration, evidence.probe, evidence.exemplar
    if found is None or isinstance(exemplar, UnreadableImage):
        return ""
    left, right = (fitted(photograph.image, 2 * HEIGHT, HEIGHT) for photograph in (exemplar, probe))
    start = left.width + BETWEEN  # where the photograph begins
    scale = np.array([*left.size, *right.size]) / (exemplar.width, exemplar.height, probe.width, probe.height)
    kept = found.matched[:: -(-len(found.matched) // LINES)]
    outline = (_outline(found.homography, (exemplar.width, exemplar.height)) + 0.5) * scale[2:]
    said = f"{len(kept)} of {found.inliers} matched points joined; dashed: where the exemplar lies on the photograph"
    size = f'viewBox="0 0 {start + right.width} {max(left.height, right.height)}"'
    return (
        f'<section>\n<h2>Matched points</h2>\n<figure><svg class="points" {size} role="img" aria-label="{said}">'
        f'{_image(left)}<svg x="{start}" width="{right.width}" height="{right.height}">{_image(right)}'
        f"{_path('around', 'M' + 'L'.join(f'{x:.1f} {y:.1f}' for x, y in outline) + 'Z')}</svg>"
        f"{_lines((kept + 0.5) * scale + (0, 0, start, 0))}</svg>\n"
        f"<figcaption>Exemplar on the left, photograph as it is on the right; {said}.</figcaption></figure>\n"
        "</section>\n"
    )


def _image(picture: Image.Image) -> str:
    return f'<image href="{_uri(picture)}" width="{picture.width}" height="{picture.height}"/>'


def _outline(homography: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return where the corners of a picture of that size fall, float64 (4, 2)."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    corners = np.array([(-0.5, -0.5, 1), (right, -0.5, 1), (right, bottom, 1), (-0.5, bottom, 1)]) @ homography.T
    return np.asarray(corners[:, :2] / corners[:, 2:])


def _lines(shown: np.ndarray) -> str:
    """Return the lines between points (n, 4), and their ends."""
    lines = "".join(f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}" for a, b, c, d in shown)
    return _path("lines", lines) + _path("ends", "".join(f"M{x:.1f} {y:.1f}h0" for x, y in shown.reshape(-1, 2)))


def _path(kind: str, path: str) -> str:
    """Return a path, dark upon light."""
    return f'<path class="{kind} light" d="{path}"/><path class="{kind}" d="{path}"/>'
