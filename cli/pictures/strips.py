"""Put pictures and paragraphs together in strips."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from cli.output.text import plain

WIDTH, GAP = 1600, 24
INSIDE = WIDTH - 80
INK, SOFT, PAPER = "#1d1d1b", "#5a5853", "#ffffff"
FONTS = ("DejaVuSans.ttf", "arial.ttf", "Arial Unicode.ttf")  # of the system; the font of Pillow knows ASCII only
Font = ImageFont.FreeTypeFont


@lru_cache
def font(size: int) -> Font:
    """Return the first of `FONTS` that the system has, else the font of Pillow; `size` is in pixels."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    own = ImageFont.load_default(size)
    assert isinstance(own, Font), "Pillow's wheels have FreeType"
    return own


def drawable_text(text: str) -> str:
    """Return text without letters that the font lacks: the plain letter for an accented one, a code for others."""
    known = font(20)
    lacking = bytes(known.getmask("\uffff"))

    def drawn(letter: str) -> str:
        for form in (letter, unicodedata.normalize("NFD", letter)[0]):
            if form.isascii() or bytes(known.getmask(form)) != lacking:
                return form
        return letter.encode("ascii", "backslashreplace").decode()

    return "".join(map(drawn, plain(text)))


def broken_lines(text: str, letters: Font, width: int) -> str:
    """Return text broken into lines that are no wider than `width`; a wider word is broken too."""
    lines = [""]
    for word in re.findall(r"\S+\s*", text):
        if lines[-1] and letters.getlength((lines[-1] + word).rstrip()) > width:
            lines.append("")
        for letter in word:
            if letters.getlength((lines[-1] + letter).rstrip()) > width:
                lines.append("")
            lines[-1] += letter
    return "\n".join(line.rstrip() for line in lines)


def paragraph(text: str, size: int, *, width: int = INSIDE, colour: str = INK) -> Image.Image:
    """Return text broken into lines, as a strip."""
    letters = font(size)
    lines = broken_lines(drawable_text(text), letters, width)
    box = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), lines, font=letters, spacing=6)
    strip = Image.new("RGB", (width, int(box[3]) + 6), PAPER)
    ImageDraw.Draw(strip).multiline_text((0, 0), lines, colour, letters, spacing=6)
    return strip


def below(cells: Sequence[Image.Image], gap: int) -> Image.Image:
    """Return a picture of cells one below the other, `gap` pixels apart."""
    height = sum(cell.height + gap for cell in cells) - gap
    whole, top = Image.new("RGB", (max(cell.width for cell in cells), height), PAPER), 0
    for cell in cells:
        whole.paste(cell, (0, top))
        top += cell.height + gap
    return whole


def beside(cells: Sequence[Image.Image]) -> Image.Image:
    """Return a picture of cells side by side, GAP pixels apart."""
    turned = below([cell.transpose(Image.Transpose.TRANSPOSE) for cell in cells], GAP)
    return turned.transpose(Image.Transpose.TRANSPOSE)


def column_width(count: int) -> int:
    """Return the width of one of `count` columns."""
    return (INSIDE - (count - 1) * GAP) // count
