"""Draw how a training went as one picture, a curve for each figure of the epochs."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from PIL import Image

from indexer.training.history import EpochRecord, best_epoch
from indexer.training.model_card import Figures

SIZE, DOTS = (11.36, 5.16), 200  # inches, and dots an inch: twice as large as the picture is meant to be seen
LETTERS = 40  # across a curve, small
INK, SOFT, LINE, BLUE, GREEN = "#1d1d1b", "#5a5853", "#dcd9d2", "#27567f", "#1f653a"


@dataclass(frozen=True, slots=True)
class EpochCurve:
    """What is drawn over the epochs: a field of EpochRecord."""

    field: str
    title: str
    meaning: str
    percent: bool = False

    def value(self, record: EpochRecord) -> float:
        """Return the figure of an epoch; NaN for a figure that could not be measured."""
        return float(getattr(record, self.field))

    def before(self, baseline: Figures) -> float:
        """Return the figure of the encoder that the training started from, NaN for a figure that the baseline lacks."""
        return float(baseline[self.field]["value"]) if self.field in baseline else math.nan

    def said(self, value: float, digits: int = 3) -> str:
        """Return a figure in words."""
        return f"{value:.{digits - 2}%}" if self.percent else f"{value:.{digits}f}"


CURVES = (
    EpochCurve("loss", "Loss", "training, mean over the epoch"),
    EpochCurve("active", "Active triplets", "training, share that still teaches", percent=True),
    EpochCurve("spread", "Spread", "training, mean distance of all pairs"),
    EpochCurve("recall_at_1", "Recall@1", "validation, higher is better"),
    EpochCurve("eer", "EER", "validation, lower is better", percent=True),
    EpochCurve("auc", "AUC", "validation, higher is better"),
)


def phases(records: Sequence[EpochRecord]) -> list[tuple[int, str]]:
    """Return the epoch with which each phase begins, and the name of the phase, empty where the name has no room."""
    starts = [(next(each).epoch, phase) for phase, each in groupby(records, lambda record: record.phase)]
    ends = [*(first for first, _ in starts[1:]), len(records) + 1]
    room = [(end - first) * LETTERS / len(records) for (first, _), end in zip(starts, ends, strict=False)]
    return [(first, phase if len(phase) < most else "") for (first, phase), most in zip(starts, room, strict=True)]


def curves_png(records: Sequence[EpochRecord], baseline: Figures) -> Image.Image:
    """Return all curves of a training as one RGB picture, twice as large as readers are meant to see them.

    `baseline` has figures of the encoder that the training started from, on the same validation objects, by the names
    of the fields of EpochRecord: each is drawn as a dotted line.
    """
    figure = curves_figure(records, baseline)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def curves_figure(records: Sequence[EpochRecord], baseline: Figures) -> Any:
    """Return all curves as a figure of Matplotlib, which is imported only where curves are drawn."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its first import tells of its cache of fonts
    from matplotlib.figure import Figure

    figure = Figure(SIZE, DOTS, layout="constrained")
    for axes, curve in zip(figure.subplots(2, 3).flat, CURVES, strict=True):
        _draw(axes, curve, records, curve.before(baseline))
    return figure


def _draw(axes: Any, curve: EpochCurve, records: Sequence[EpochRecord], before: float) -> None:
    """Draw one curve; the epoch kept, the baseline and the phases are marked."""
    from matplotlib.ticker import MaxNLocator

    axes.set_title(f"{curve.title}: {curve.meaning}", loc="left", fontsize=8, color=INK, pad=12)
    axes.plot(
        [record.epoch for record in records], list(map(curve.value, records)), color=BLUE, marker="o", markersize=2
    )
    best = best_epoch(records)
    if best is not None and math.isfinite(curve.value(best)):
        label = f"epoch {best.epoch}, kept: {curve.said(curve.value(best))}"
        axes.plot(best.epoch, curve.value(best), "o", color=GREEN, label=label)
    if math.isfinite(before):
        axes.axhline(before, color=SOFT, linestyle=":", label=f"before: {curve.said(before)}")
    for first, phase in phases(records):
        axes.axvline(first - 0.5, color=LINE, linewidth=1)
        axes.text(first - 0.45, 1.02, phase, transform=axes.get_xaxis_transform(), fontsize=6, color=SOFT)
    if not records:
        axes.text(0.5, 0.5, "no epoch was finished", ha="center", transform=axes.transAxes, color=SOFT)
    axes.set_xlim(0.5, max((record.epoch for record in records), default=1) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0.0), high)
    if curve.percent:
        axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.3g}%")
    axes.set_xlabel("epoch", fontsize=7, color=SOFT)
    axes.tick_params(labelsize=7, labelcolor=SOFT)
    axes.grid(axis="y", color=LINE)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=6, frameon=False, loc="upper left", bbox_to_anchor=(0.0, -0.18), ncols=2)
