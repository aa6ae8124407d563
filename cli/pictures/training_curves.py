"""Draw how a training went, and show it with its result on one page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from PIL import Image, ImageDraw, ImageFont

from indexer.training.history import EpochRecord, best_epoch
from indexer.training.model_card import Figures

Point = tuple[float, float]
SCALE, FINE = 2, 2  # pixels of a picture for one of the page; and drawn finer still, to be smooth
UNIT = SCALE * FINE
WIDTH, HEIGHT = 352, 228  # of one curve on the page
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 62, 26  # around what is drawn between its axes


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn over the epochs: a field of their records."""

    field: str
    title: str
    meaning: str
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of a picture, by day or by night."""

    paper: str
    ink: str
    soft: str
    line: str
    curve: str
    best: str


CURVES = (
    Curve("loss", "Loss", "training, mean over the epoch"),
    Curve("active", "Active triplets", "training, share that still teaches", percent=True),
    Curve("spread", "Spread", "training, mean distance of all pairs"),
    Curve("recall_at_1", "Recall@1", "validation, higher is better"),
    Curve("eer", "EER", "validation, lower is better", percent=True),
    Curve("auc", "AUC", "validation, higher is better"),
)
DAY = Colours("#ffffff", "#1d1d1b", "#5a5853", "#dcd9d2", "#27567f", "#1f653a")
NIGHT = Colours("#23221f", "#eceae5", "#aba8a0", "#45433e", "#8dbbe2", "#8fd3a6")


def curves_png(records: Sequence[EpochRecord], baseline: Figures, *, colours: Colours = DAY) -> Image.Image:
    """Return all curves of a training as one RGB picture, twice as large as it is meant to be seen.

    `baseline` has figures of the encoder it started from, on the same validation objects, by the names of the fields
    of EpochRecord: they are drawn as dotted lines.
    """
    columns, gap = 3, 20 * SCALE
    cells = [draw_curve(curve, records, baseline, colours=colours) for curve in CURVES]
    across, down = cells[0].width + gap, cells[0].height + gap
    whole = Image.new("RGB", (columns * across + gap, len(cells) // columns * down + gap), colours.paper)
    for number, cell in enumerate(cells):
        whole.paste(cell, (gap + number % columns * across, gap + number // columns * down))
    return whole


def draw_curve(
    curve: Curve, records: Sequence[EpochRecord], baseline: Figures, *, colours: Colours = DAY
) -> Image.Image:
    """Return one curve over the epochs with its axes; the best epoch and the baseline are marked."""
    before = baseline[curve.field]["value"] if curve.field in baseline else math.nan
    plot = _Plot(curve, records, before, colours)
    plot.draw_axes()
    plot.draw_phases()
    plot.draw_legend()
    plot.draw_values()
    return plot.image.reduce(FINE)


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis around some values, with room; not below 0, and not above 1 for shares."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * (high - low) or 0.1 * abs(high) or 0.1
    return max(low - room, min(low, 0.0)), min(high + room, 1.0) if high <= 1 and low < 1 else high + room


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return about so many round values within an axis, 1, 2 or 5 times a power of ten apart."""
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * count >= (high - low) * 0.999)
    return [step * number for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow's wheels have FreeType"
    return font


class _Plot:
    """One curve while it is drawn; positions are in pixels of the page."""

    def __init__(self, curve: Curve, records: Sequence[EpochRecord], before: float, colours: Colours) -> None:
        self.curve, self.records, self.before, self.colours = curve, records, before, colours
        self.image = Image.new("RGB", (WIDTH * UNIT, HEIGHT * UNIT), colours.paper)
        self.pen = ImageDraw.Draw(self.image)
        self.low, self.high = span([v for v in (*map(self.value, records), before) if math.isfinite(v)])
        self.last = max((record.epoch for record in records), default=1)

    def value(self, record: EpochRecord) -> float:
        return float(getattr(record, self.curve.field))

    def said(self, value: float, digits: int = 3) -> str:
        return f"{value:.{digits - 2}%}" if self.curve.percent else f"{value:.{digits}f}"

    def at(self, epoch: float, value: float) -> Point:
        across, up = (epoch - 0.5) / self.last, (value - self.low) / (self.high - self.low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def line(self, points: Sequence[Point], colour: str, width: float) -> None:
        self.pen.line([(x * UNIT, y * UNIT) for x, y in points], colour, round(width * UNIT), joint="curve")

    def dotted(self, start: Point, length: float, colour: str) -> None:
        for x in range(0, int(length) - 1, 5):
            self.line([(start[0] + x, start[1]), (start[0] + x + 2, start[1])], colour, 1.5)

    def dot(self, at: Point, radius: float, colour: str) -> None:
        self.pen.circle((at[0] * UNIT, at[1] * UNIT), radius * UNIT, colour)

    def text(self, at: Point, text: str, colour: str, *, anchor: str = "ls", size: int = 11) -> float:
        """Write a text, and return where it ends."""
        font = _font(size * UNIT)
        self.pen.text((at[0] * UNIT, at[1] * UNIT), text, colour, font, anchor)
        return at[0] + font.getlength(text) / UNIT

    def draw_axes(self) -> None:
        soft, bottom, right = self.colours.soft, HEIGHT - BOTTOM, WIDTH - RIGHT
        end = self.text((0, 14), self.curve.title, self.colours.ink, size=15)
        self.text((end + 8, 14), self.curve.meaning, soft)
        values = ticks(self.low, self.high, 5)
        digits = max(2, *(math.ceil(-math.log10(after - value) - 1e-9) for value, after in pairwise(values)), 0)
        for value in values:
            y = self.at(1, value)[1]
            self.line([(LEFT, y), (right, y)], self.colours.line, 1)
            self.text((LEFT - 6, y), self.said(value, digits), soft, anchor="rm")
        self.line([(LEFT, bottom), (right, bottom)], soft, 1)
        self.text((LEFT - 6, bottom + 9), "epoch", soft, anchor="ra")
        for epoch in sorted(
            {1, *(round(value) for value in ticks(0, max(self.last, 5), 5) if 1 <= value <= self.last)}
        ):
            x, _ = self.at(epoch, 0)
            self.line([(x, bottom), (x, bottom + 4)], soft, 1)
            self.text((x, bottom + 9), str(epoch), soft, anchor="ma")

    def draw_phases(self) -> None:
        """Mark where another phase begins, and name each where there is room."""
        starts = [(next(records).epoch, phase) for phase, records in groupby(self.records, lambda r: r.phase)]
        ends = [*(epoch for epoch, _ in starts[1:]), self.last + 1]
        for (epoch, phase), end in zip(starts, ends, strict=False):
            (x, _), (after, _) = self.at(epoch - 0.5, 0), self.at(end - 0.5, 0)
            if epoch > 1:
                self.line([(x, TOP - 12), (x, HEIGHT - BOTTOM)], self.colours.line, 1.5)
            if _font(10 * UNIT).getlength(phase) / UNIT < after - x - 6:
                self.text((x + 4, TOP - 4), phase, self.colours.soft, size=10)

    def draw_legend(self) -> None:
        """Draw the baseline, and say under the title what it is and what the best epoch reached."""
        x, y, best = 0.0, 34.0, best_epoch(self.records)
        if best is not None and math.isfinite(self.value(best)):
            self.dot((x + 4, y - 4), 4, self.colours.best)
            x = (
                self.text((x + 12, y), f"epoch {best.epoch}, kept: {self.said(self.value(best))}", self.colours.ink)
                + 14
            )
        if math.isfinite(self.before):
            self.dotted((x, y - 4), 20, self.colours.soft)
            self.text((x + 24, y), f"before: {self.said(self.before)}", self.colours.ink)
            self.dotted(self.at(0.5, self.before), WIDTH - LEFT - RIGHT, self.colours.soft)

    def draw_values(self) -> None:
        if not self.records:
            middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
            self.text(middle, "no epoch was finished", self.colours.soft, anchor="mm")
        best, known = best_epoch(self.records), [r for r in self.records if math.isfinite(self.value(r))]
        for one, other in pairwise(self.records):
            if one in known and other in known:
                self.line([self.at(r.epoch, self.value(r)) for r in (one, other)], self.colours.curve, 2)
        for record in known:
            place = self.at(record.epoch, self.value(record))
            if record is best:
                self.dot(place, 5.5, self.colours.paper)
            dot = 4 if record is best else 2.5 if self.last <= 40 else 1
            self.dot(place, dot, self.colours.best if record is best else self.colours.curve)
