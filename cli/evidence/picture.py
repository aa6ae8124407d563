"""Draw the evidence as one picture: verdict, both photographs, the map, the worst places, the figures."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageOps

from cli.evidence.evidence import Evidence
from cli.pictures.maps import draw_map, enlarged_part, fitted_picture, ramp, scale_end, surroundings
from cli.pictures.strips import (
    GAP,
    INK,
    INSIDE,
    PAPER,
    SOFT,
    WIDTH,
    below,
    beside,
    column_width,
    drawable_text,
    font,
    paragraph,
)
from retrieval.comparing.divergence import Divergence
from retrieval.comparing.overlays import Box

BADGES = {"divergent": "#a3211b", "inconclusive": "#7a5200", "consistent": "#1f653a", "no-match": "#27567f"}


def draw_evidence(evidence: Evidence) -> Image.Image:
    """Return the evidence as one picture: verdict, both photographs, the map, the worst places, the figures."""
    strips = [_heading(evidence), _pictures(evidence), *(paragraph(remark, 22) for remark in evidence.remarks)]
    if evidence.pair is not None and evidence.worst:
        strips += [paragraph("Where the two differ most: exemplar on the left, photograph on the right", 24)]
        strips += [_places(evidence, evidence.pair, start) for start in range(0, len(evidence.worst), 3)]
    figures = "   ·   ".join(f"{figure.name}: {figure.value}" for figure in evidence.figures())
    revision = "no catalogue" if evidence.basis.alone else f"revision {evidence.revision}"
    source = f"SHA-256 {evidence.probe.sha256}   ·   encoder {evidence.encoder}   ·   {revision}"
    strips += [paragraph(figures, 20), *(paragraph(reason, 18) for reason in evidence.decision.reasons)]
    strips += [paragraph(source, 18, colour=SOFT)]
    return ImageOps.expand(below(strips, GAP), (WIDTH - INSIDE) // 2, PAPER)


def _heading(evidence: Evidence) -> Image.Image:
    """Return the outcome on its colour, what was compared, and the verdict in words."""
    outcome, letters = evidence.decision.outcome, font(30)
    end = int(letters.getlength(outcome)) + 32
    badge = Image.new("RGB", (end, 50), PAPER)
    draw = ImageDraw.Draw(badge)
    draw.rounded_rectangle((0, 0, end - 1, 49), 5, BADGES[outcome])
    draw.text((16, 25), outcome, PAPER, letters, anchor="lm")
    against = paragraph(f"{evidence.probe.path.name} against {evidence.match.object_id}", 30, width=INSIDE - end - GAP)
    title = drawable_text(evidence.title)
    if "\\u" in title.lower():
        title = "Title and maker are in letters that are not in the font of this picture; the page shows them."
    strips = [beside([badge, against]), paragraph(evidence.verdict, 24)]
    return below([*strips, paragraph(title, 20, colour=SOFT)] if title else strips, 8)


def _pictures(evidence: Evidence) -> Image.Image:
    """Return exemplar and photograph, and the map where there is one, each over its caption."""
    divergence, pair, cells = evidence.divergence, evidence.pair, []
    wide = pair is not None and evidence.is_wide
    width = column_width(1 if wide else 3 if pair and divergence else 2)
    said = "photograph, laid over the exemplar, colours fitted" if pair else "photograph, as it is"
    for image, caption in zip(evidence.pictures, ("exemplar", said), strict=True):
        shown = fitted_picture(image, width, 620) if image else Image.new("RGB", (width, 200), "#e9e7e2")
        cells.append(below([shown, paragraph(caption, 20, width=width, colour=SOFT)], 8))
    if pair and divergence:
        drawn = _marked_map(fitted_picture(pair[0], width, 620), evidence, divergence)
        cells.append(below([drawn, _legend(divergence, evidence.limit, width)], 8))
    return below(cells, 8) if wide else beside(cells)


def _marked_map(exemplar: Image.Image, evidence: Evidence, divergence: Divergence) -> Image.Image:
    """Return the map with overlays and worst places outlined and labelled."""
    assert evidence.known_exemplar is not None, "there is a pair"
    picture = draw_map(divergence.map, exemplar, evidence.limit)
    scale = picture.width / evidence.known_exemplar.width, picture.height / evidence.known_exemplar.height
    marks = [(overlay.box, overlay.kind, SOFT) for overlay in divergence.overlays]
    marks += [(place.box, str(number), INK) for number, place in enumerate(evidence.worst, 1)]
    for box, label, colour in marks:
        _mark(ImageDraw.Draw(picture), box, scale, label, colour, picture.width)
    return picture


def _mark(draw: ImageDraw.ImageDraw, box: Box, scale: tuple[float, float], label: str, colour: str, right: int) -> None:
    """Outline a box, and label it above on the left, or where the picture ends, below or farther left."""
    letters = font(18)
    left, top, width, height = (length * scale[axis % 2] for axis, length in enumerate(box))
    corners = (left, top, left + width, top + height)
    draw.rectangle(corners, outline=INK, width=4)
    draw.rectangle(corners, outline=PAPER, width=2)
    end = min(left + letters.getlength(label) + 10, right)
    start = end - letters.getlength(label) - 10
    top = top - 22 if top >= 22 else top + height
    draw.rectangle((start, top, end, top + 22), colour)
    draw.text((start + 5, top + 11), label, PAPER, letters, anchor="lm")


def _legend(divergence: Divergence, threshold: float, width: int) -> Image.Image:
    """Return the colour scale with its ends, and the threshold marked on it."""
    end, letters = scale_end(divergence.map, threshold), font(18)
    strip = Image.new("RGB", (width, 78), PAPER)
    strip.paste(Image.fromarray(ramp(width)[None]).resize((width, 18)), (0, 28))
    draw = ImageDraw.Draw(strip)
    draw.text((0, 52), "0", INK, letters)
    draw.text((width, 52), f"{end:.2f} local distance", INK, letters, anchor="ra")
    at, side = threshold / end * (width - 1), "rs" if threshold > end / 2 else "ls"
    draw.line((at, 8, at, 46), INK, 3)
    draw.text((at + (6 if side == "ls" else -6), 20), f"threshold {threshold:.3f}", INK, letters, anchor=side)
    return strip


def _places(evidence: Evidence, pair: tuple[Image.Image, Image.Image], start: int) -> Image.Image:
    """Return three of the worst places in a row, from number `start` on."""
    assert evidence.known_exemplar is not None, "there is a pair"
    width, size, cells = column_width(3), (evidence.known_exemplar.width, evidence.known_exemplar.height), []
    side = (width - 6) // 2
    for number, place in list(enumerate(evidence.worst, 1))[start : start + 3]:
        around = surroundings(place.box, size)
        both = Image.new("RGB", (width, side), PAPER)
        for column, image in enumerate(pair):
            both.paste(enlarged_part(image, around, size, side), (column * (side + 6), 0))
        said = f"{number}: {evidence.said_of(place)}"
        cells.append(below([both, paragraph(said, 20, width=width, colour=SOFT)], 8))
    return beside(cells)
