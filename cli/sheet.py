"""Draw the evidence as one picture: verdict, both photographs, the map, the worst places, the figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cli.drawing import VEIL, colours, draw_map, enlarged, fitted, scale_end, surroundings
from cli.output import plain

if TYPE_CHECKING:
    from cli.evidence import Evidence
    from retrieval.divergence import Divergence

WIDTH, MARGIN, GAP = 1600, 40, 24
INK, SOFT, PAPER = "#1d1d1b", "#5a5853", "#ffffff"
BADGES = {"divergent": "#a3211b", "inconclusive": "#7a5200", "consistent": "#1f653a", "no-match": "#27567f"}


def draw_sheet(evidence: Evidence) -> Image.Image:
    """Return the evidence as one picture: verdict, both photographs, the map, the worst places, the figures."""
    divergence = evidence.divergence
    strips = [_heading(evidence), _pictures(evidence)]
    if divergence is None:
        strips.append(_paragraph(evidence.not_registered, 22))
    elif evidence.worst:
        strips += [_paragraph("Where the two differ most: exemplar on the left, photograph on the right", 24)]
        strips += [_places(evidence, start) for start in range(0, len(evidence.worst), 3)]
    figures = "   ·   ".join(f"{name}: {value}" for name, value, _ in evidence.figures())
    source = f"SHA-256 {evidence.sha256}   ·   encoder {evidence.encoder}   ·   revision {evidence.revision}"
    strips += [_paragraph(figures, 20), _paragraph(f"{evidence.thresholds_basis}.", 18), _paragraph(source, 18)]
    sheet = Image.new("RGB", (WIDTH, 2 * MARGIN + sum(strip.height + GAP for strip in strips) - GAP), PAPER)
    top = MARGIN
    for strip in strips:
        sheet.paste(strip, (MARGIN, top))
        top += strip.height + GAP
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _paragraph(text: str, size: int, *, width: int = WIDTH - 2 * MARGIN, colour: str = INK) -> Image.Image:
    """Return text broken into lines, as a strip; about two characters fit into the height of one."""
    lines = "\n".join(textwrap.wrap(plain(text), int(width / (0.52 * size))))
    box = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), lines, font=_font(size), spacing=6)
    strip = Image.new("RGB", (width, int(box[3]) + 6), PAPER)
    ImageDraw.Draw(strip).multiline_text((0, 0), lines, INK if colour is None else colour, _font(size), spacing=6)
    return strip


def _heading(evidence: Evidence) -> Image.Image:
    """Return the outcome on its colour, what was compared, and the verdict in words."""
    strip = Image.new("RGB", (WIDTH - 2 * MARGIN, 50), PAPER)
    draw = ImageDraw.Draw(strip)
    end = draw.textlength(evidence.outcome, _font(30)) + 32
    draw.rounded_rectangle((0, 0, end, 49), 5, BADGES.get(evidence.outcome, SOFT))
    draw.text((16, 25), evidence.outcome, PAPER, _font(30), anchor="lm")
    against = f"{plain(evidence.photo.name)} against {plain(evidence.object_id)}"
    draw.text((end + 20, 25), against, INK, _font(30), anchor="lm")
    return _below([strip, _paragraph(evidence.verdict, 24), _paragraph(evidence.title, 20, colour=SOFT)])


def _below(strips: Sequence[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (max(strip.width for strip in strips), sum(strip.height + 8 for strip in strips)), PAPER)
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height + 8
    return whole


def _beside(cells: Iterable[Image.Image], width: int) -> Image.Image:
    """Return cells in columns of that width."""
    listed = list(cells)
    whole = Image.new("RGB", (WIDTH - 2 * MARGIN, max(cell.height for cell in listed)), PAPER)
    for column, cell in enumerate(listed):
        whole.paste(cell, (column * (width + GAP), 0))
    return whole


def _pictures(evidence: Evidence) -> Image.Image:
    """Return exemplar and photograph, and the map where there is one, each over its caption."""
    divergence = evidence.divergence
    shown = [(evidence.exemplar_image, "exemplar"), (evidence.probe_image, "photograph")]
    if divergence is not None:
        shown = [(divergence.exemplar, "exemplar"), (divergence.probe, "photograph, registered, colours fitted")]
    columns = 2 if divergence is None else 3
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) // columns
    cells = [
        _below([fitted(image, width, 620), _paragraph(said, 20, width=width, colour=SOFT)]) for image, said in shown
    ]
    if divergence is not None:
        drawn = _marked(fitted(divergence.exemplar, width, 620).size, evidence, divergence)
        cells.append(_below([drawn, _legend(divergence, evidence.authenticity_threshold, width)]))
    return _beside(cells, width)


def _marked(size: tuple[int, int], evidence: Evidence, divergence: Divergence) -> Image.Image:
    """Return the map with overlays and worst places outlined and labelled."""
    picture = draw_map(divergence, evidence.authenticity_threshold, size)
    labelled = [(overlay.box, f"{overlay.kind} {overlay.share:.1%}", SOFT) for overlay in divergence.overlays]
    labelled += [(place.box, str(number), INK) for number, place in enumerate(evidence.worst, 1)]
    draw = ImageDraw.Draw(picture)
    across, down = size[0] / evidence.exemplar_size[0], size[1] / evidence.exemplar_size[1]
    for (x, y, width, height), label, colour in labelled:
        left, top = x * across, y * down
        corners = (left, top, max(left, (x + width) * across), max(top, (y + height) * down))
        draw.rectangle(corners, outline=INK, width=4)
        draw.rectangle(corners, outline=PAPER, width=2)
        draw.rectangle((left, top, left + draw.textlength(label, _font(18)) + 10, top + 22), colour)
        draw.text((left + 5, top + 11), label, PAPER, _font(18), anchor="lm")
    return picture


def _legend(divergence: Divergence, threshold: float | None, width: int) -> Image.Image:
    """Return the colour scale with its ends, and the threshold marked on it."""
    end = scale_end(divergence, threshold)
    strip = Image.new("RGB", (width, 86), PAPER)
    ramp = 128 + VEIL * (colours(np.linspace(0, 1, width)) - 128)
    strip.paste(Image.fromarray(np.repeat(ramp.astype(np.uint8)[None], 18, axis=0)), (0, 28))
    draw = ImageDraw.Draw(strip)
    draw.text((0, 52), "0", INK, _font(18))
    draw.text((width, 52), f"{end:.2f} local distance", INK, _font(18), anchor="ra")
    if threshold is not None:
        at = threshold / end * (width - 1)
        draw.line((at, 20, at, 52), INK, 3)
        draw.text(
            (at, 18), f"authenticity threshold {threshold:.3f}", INK, _font(18), anchor="rs" if at > 230 else "ls"
        )
    return strip


def _places(evidence: Evidence, start: int) -> Image.Image:
    """Return three of the worst places in a row, from number `start` on."""
    divergence, width = evidence.divergence, (WIDTH - 2 * MARGIN - 2 * GAP) // 3
    assert divergence is not None, "only a registered pair has places"
    cells, side = [], (width - 6) // 2
    for number, place in list(enumerate(evidence.worst, 1))[start : start + 3]:
        around = surroundings(place.box, evidence.exemplar_size)
        pair = Image.new("RGB", (width, side), PAPER)
        for column, image in enumerate((divergence.exemplar, divergence.probe)):
            pair.paste(enlarged(image, around, evidence.exemplar_size, side), (column * (side + 6), 0))
        cells.append(_below([pair, _paragraph(f"{number}: {evidence.said_of(place)}", 20, width=width, colour=SOFT)]))
    return _beside(cells, width)
