"""Draw how a training went, and show it with its result on one page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from itertools import groupby, pairwise
from string import Template

from PIL import Image, ImageDraw, ImageFont, ImageOps

from cli.output.text import escaped
from indexer.training.history import EpochRecord, best_epoch, duration, total
from indexer.training.model_card import Compared, Figures, compared, measured_on
from retrieval.statistics.metrics import Estimate

Pair = tuple[Image.Image, Image.Image, float, str]  # two photographs, their distance, and why they are shown
Point = tuple[float, float]
SCALE, FINE = 2, 2  # pixels of a picture for one of the page; and drawn finer still, to be smooth
UNIT = SCALE * FINE
WIDTH, HEIGHT = 352, 228  # of one curve on the page
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 62, 26  # around what is drawn between its axes
PHOTO_SIDE, QUALITY = 360, 85


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


def training_page(
    name: str,
    *,
    about: Mapping[str, str],
    command: str,
    history: Sequence[EpochRecord],
    baseline: Figures,
    before: Figures,
    after: Figures,
    tested: bool = True,
    hardest: Sequence[Pair] = (),
) -> str:
    """Return one self-contained HTML page of a training: what was trained, its result, its curves and epochs.

    All but the last are as in `model_card`, and `baseline` as in `curves_png`; `hardest` has pairs that the trained
    encoder tells apart worst.
    """
    made = {**about, "Written": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"}
    templates, best = files("cli") / "templates", best_epoch(history)
    return Template((templates / "training.html").read_text("utf-8")).substitute(
        style=(templates / "screening.css").read_text("utf-8"),
        name=escaped(name),
        about="".join(f"<dt>{escaped(key)}</dt><dd><bdi>{escaped(value)}</bdi></dd>\n" for key, value in made.items()),
        command=escaped(command),
        measured=measured_on(before, after, tested=tested),
        result="".join(_result(row) for row in compared(before, after)),
        curves="".join(_curve(curve, history, baseline) for curve in CURVES),
        total=total(history),
        epochs="".join(_epoch(record, kept=record is best) for record in history),
        hardest=_hardest(hardest),
    )


def _uri(image: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    image.save(file, kind, quality=QUALITY, optimize=True)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(file.getvalue()).decode()


def _result(row: Compared) -> str:
    """Return a figure before and after, in numbers and drawn from 0 to 1."""
    sides = {"before": row.before, "after": row.after}
    cells = "".join(f'<td class="{kind}">{_with_interval(side)}</td>' for kind, side in sides.items())
    drawn = "".join(_whisker(kind, side, 7 + 10 * at) for at, (kind, side) in enumerate(sides.items()) if side)
    svg = f'<svg aria-hidden="true"><rect width="100%" height="24"/>{drawn}</svg>'
    change = f'<td class="said {row.said.split()[0]}">{row.said}</td><td class="n">{row.objects}</td>'
    return f'<tr><th scope="row">{escaped(row.name)}</th>{cells}<td class="drawn">{svg}</td>{change}</tr>\n'


def _whisker(kind: str, side: Estimate, y: int) -> str:
    low, value, high = (f"{100 * min(max(at, 0.0), 1.0):.2f}%" for at in (side.low, side.value, side.high))
    dot = f'<circle cx="{value}" cy="{y}" r="3.5"></circle>'
    return f'<g class="{kind}"><line x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>{dot}</g>'


def _with_interval(side: Estimate | None) -> str:
    return f"<b>{side.value:.3f}</b> <small>{side.low:.3f} to {side.high:.3f}</small>" if side else "none"


def _curve(curve: Curve, history: Sequence[EpochRecord], baseline: Figures) -> str:
    """Return one curve, by day and by night, with its course in words for those who do not see it."""
    values = [value for record in history if math.isfinite(value := getattr(record, curve.field))]
    said = f"{curve.title}: from {values[0]:.3f} to {values[-1]:.3f}" if values else f"{curve.title}: not measured"
    images = ""
    for kind, colours in (("day", DAY), ("night", NIGHT)):
        uri = _uri(draw_curve(curve, history, baseline, colours=colours).quantize(64), "PNG")
        images += f'<img class="{kind}" src="{uri}" width="{WIDTH}" height="{HEIGHT}" alt="{said}">'
    return f"<figure>{images}</figure>\n"


def _epoch(record: EpochRecord, *, kept: bool) -> str:
    shares = f"{record.active:.0%}", f"{record.rate:.1e}", f"{record.spread:.3f}", f"{record.recall_at_1:.3f}"
    figures = f"{record.loss:.4f}", *shares, f"{record.eer:.1%}", f"{record.auc:.3f}", f"{record.views:,}"
    cells = "".join(f"<td>{'' if 'nan' in figure else figure}</td>" for figure in (*figures, duration(record.seconds)))
    badge, kind = (' <span class="badge">kept</span>', ' class="kept"') if kept else ("", "")
    return f'<tr{kind}><th scope="row">{record.epoch}{badge}</th><td>{escaped(record.phase)}</td>{cells}</tr>\n'


def _hardest(pairs: Sequence[Pair]) -> str:
    """Return the pairs that the trained encoder tells apart worst."""
    shown = ""
    for one, other, distance, said in pairs:
        both = (ImageOps.contain(image.convert("RGB"), (PHOTO_SIDE, PHOTO_SIDE)) for image in (one, other))
        images = "".join(f'<img src="{_uri(image, "JPEG")}" alt="">' for image in both)
        shown += f"<li><div>{images}</div><p><b>distance {distance:.3f}</b> <bdi>{escaped(said)}</bdi></p></li>\n"
    return f'<section>\n<h2>The hardest pairs</h2>\n<ul class="pairs">\n{shown}</ul>\n</section>\n' if shown else ""
