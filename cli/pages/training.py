"""Show on one page how a training went, and its result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise

from PIL import Image, ImageOps

from cli.pages.charts import Axis, Chart, Mark, Plane, round_values, span
from cli.pages.templating import page_pieces
from cli.pictures.data_uri import data_uri
from cli.pictures.training_curves import CURVES, EpochCurve, phases
from indexer.training.history import EpochRecord, best_epoch, duration, total
from indexer.training.model_card import Figures, compared_figures, measured_on

Pair = tuple[Image.Image, Image.Image, float, str]  # two photographs, their distance, and why the pair is shown
PHOTO_SIDE = 360


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

    `name`, `about`, `command`, `history`, `before`, `after` and `tested` are as in `model_card`, `baseline` as in
    `curves_png`; `hardest` has the pairs that the trained encoder tells apart worst.
    """
    pieces = page_pieces(
        "training.html",
        name=name,
        about=about,
        command=command,
        measured=measured_on(before, after, tested=tested),
        compared=compared_figures(before, after),
        charts=(training_chart(curve, history, baseline) for curve in CURVES),
        total=total(history),
        epochs=[(record, _figures(record)) for record in history],
        kept=best_epoch(history),
        hardest=[([_uri(one), _uri(other)], distance, said) for one, other, distance, said in hardest],
    )
    return "".join(pieces)


def _uri(image: Image.Image) -> str:
    return data_uri(ImageOps.contain(image.convert("RGB"), (PHOTO_SIDE, PHOTO_SIDE)))


def _figures(record: EpochRecord) -> list[str]:
    """Return the figures of an epoch as text; an empty text for a figure that could not be measured."""
    shares = f"{record.active:.0%}", f"{record.rate:.1e}", f"{record.spread:.3f}", f"{record.recall_at_1:.3f}"
    figures = f"{record.loss:.4f}", *shares, f"{record.eer:.1%}", f"{record.auc:.3f}", f"{record.views:,}"
    return ["" if "nan" in figure else figure for figure in (*figures, duration(record.seconds))]


def training_chart(curve: EpochCurve, history: Sequence[EpochRecord], baseline: Figures) -> Chart:
    """Return one curve over the epochs, with its course in words; the epoch kept and the baseline are marked."""
    before, kept = curve.before(baseline), best_epoch(history)
    known = [record for record in history if math.isfinite(curve.value(record))]
    plane = _plane(curve, history, [*map(curve.value, known), *([before] if math.isfinite(before) else [])])
    marks = [plane.marker(first - 0.5, phase, "phase") for first, phase in phases(history)]
    marks += _course(plane, curve, history)
    legend: list[tuple[str, str]] = []
    if kept is not None and kept in known:
        marks.append(plane.dot((kept.epoch, curve.value(kept)), "kept", radius=5))
        legend.append(("kept", f"epoch {kept.epoch}, kept: {curve.said(curve.value(kept))}"))
    if math.isfinite(before):
        marks.append(plane.line([(plane.x.low, before), (plane.x.high, before)], "baseline"))
        legend.append(("baseline", f"before: {curve.said(before)}"))
    if not history:
        legend.append(("", "no epoch was finished"))
    course = [f"{curve.value(record):.3f}" for record in known]
    said = f"{curve.title}: " + (f"from {course[0]} to {course[-1]}" if course else "not measured")
    return Chart(curve.title, plane, marks, legend, note=curve.meaning, said=said)


def _plane(curve: EpochCurve, history: Sequence[EpochRecord], values: Sequence[float]) -> Plane:
    """Return two axes: the epochs across, and upward a scale around the values."""
    low, high = span(values)
    marked = round_values(low, high, 5)
    digits = max(2, *(math.ceil(-math.log10(after - value) - 1e-9) for value, after in pairwise(marked)), 0)
    y = Axis("", low, high, tuple((value, curve.said(value, digits)) for value in marked))
    last = max((record.epoch for record in history), default=1)
    epochs = {1, *(round(value) for value in round_values(0, max(last, 5), 5) if 1 <= value <= last)}
    return Plane(Axis("epoch", 0.5, last + 0.5, tuple((epoch, str(epoch)) for epoch in sorted(epochs))), y)


def _course(plane: Plane, curve: EpochCurve, history: Sequence[EpochRecord]) -> Iterator[Mark]:
    """Yield the curve, broken where a figure could not be measured, with a dot for each epoch."""
    for known, records in groupby(history, lambda record: math.isfinite(curve.value(record))):
        points = [(float(record.epoch), curve.value(record)) for record in records if known]
        if points:
            yield plane.line(points, "curve")
        yield from (plane.dot(point, "curve", radius=2.5 if len(history) <= 40 else 1) for point in points)
