"""Write the model card of a trained encoder, with its figures beside those of the encoder it started from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from indexer.training.history import EpochRecord, best_epoch, total
from retrieval.statistics.metrics import Estimate

Figures = Mapping[str, Mapping[str, float]]  # name -> value, low, high and n, as in `encoder_figures`
SPELT = {"eer": "EER", "auc": "AUC", "map": "mAP", "gap": "GAP", "f1": "F1"}
RATES_OF_ERRORS = {"eer", "alarm", "alarms", "miss", "misses"}  # where lower is better


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """One figure before and after a training; None where it was not measured."""

    name: str
    before: Estimate | None
    after: Estimate | None
    lower_is_better: bool

    @property
    def said(self) -> str:
        """What became of the figure, in words; only intervals that do not overlap are called a change."""
        if self.before is None or self.after is None:
            return "not measured on both"
        if self.before.low <= self.after.high and self.after.low <= self.before.high:
            return "intervals overlap"
        return "better" if (self.after.value < self.before.value) == self.lower_is_better else "worse"

    @property
    def objects(self) -> str:
        """The number of objects behind the figure; both numbers where they differ."""
        return ", ".join(dict.fromkeys(f"{side.n:,}" for side in (self.before, self.after) if side))


def compared_figures(before: Figures, after: Figures) -> list[ComparedFigure]:
    """Return each figure of two evaluations beside the other, in the order in which they come."""
    return [
        ComparedFigure(spelt(name), _estimate(before, name), _estimate(after, name), _is_error(name))
        for name in dict.fromkeys([*after, *before])
    ]


def spelt(name: str) -> str:
    """Return the name of a figure as people write it: `recall_at_1` as recall@1, `eer` as EER."""
    words = name.replace("_at_", "@").replace("_", " ").split(" ")
    return " ".join(SPELT.get(word, word) for word in words)


def _is_error(name: str) -> bool:
    return bool(RATES_OF_ERRORS & set(re.split(r"[^a-z]+", name.lower())))


def _estimate(figures: Figures, name: str) -> Estimate | None:
    found = figures.get(name)
    return Estimate(found["value"], found["low"], found["high"], int(found["n"])) if found else None


def model_card(
    name: str,
    *,
    about: Mapping[str, str],
    command: str,
    history: Sequence[EpochRecord],
    before: Figures,
    after: Figures,
    tested: bool = True,
) -> str:
    """Return the model card of an encoder folder (its README.md) as Markdown.

    `about` says what it started from, on what data, split and seed, in the order to show it; `command` is the line that
    makes it again; `before` and `after` are figures of the objects held back. `tested` is False where no
    objects were held back and the figures are of the validation objects.
    """
    made = "".join(f"- {escaped(key)}: {escaped(value)}\n" for key, value in about.items())
    parts = (
        f"# The encoder {escaped(name)}\n\n{PURPOSE}",
        f"## How it was made\n\n{made}- {_trained(history)}\n",
        f"The command that makes it again:\n\n{_block(command)}\n",
        f"## Figures\n\n{fill(measured_on(before, after, tested=tested), 120)}\n",
        f"Each with its 95% interval, by object; where the two intervals overlap, nothing is claimed.\n\n"
        f"{_table(compared_figures(before, after))}",
        LIMITS,
        LICENCE,
    )
    return "\n".join(parts)


def measured_on(before: Figures, after: Figures, *, tested: bool) -> str:
    """Return on which objects the figures were taken, and whether these objects make a fair test."""
    counts = sorted({int(figure["n"]) for figure in (*before.values(), *after.values())})
    many = " to ".join(dict.fromkeys(f"{count:,}" for count in counts[:1] + counts[-1:])) or "no"
    fair = (
        "held back: they served neither to train nor to choose the epoch"
        if tested
        else "of validation, for none were held back: the epoch was chosen by them, so the figures after are too good"
    )
    return f"Measured on {many} objects {fair}. Before is the encoder it started from, on the same photographs."


PURPOSE = """A Siamese encoder made by `artifact train`. It turns a photograph of a work into a unit vector; the
distance between two vectors, from 0 (alike) to 2, says how far two photographs lie apart. This folder is what
`artifact index FOLDER --encoder` takes.
"""
LIMITS = """## Limits

- The figures hold for photographs like those measured. On other kinds of works, cameras and light, measure again.
- Copies that were simulated stand for forgeries only so far: a careful copy by hand can lie nearer than any of them.
- A distance says how alike two photographs are to the encoder. It does not say who made an object, or when.
- Thresholds belong to one encoder. A catalogue that another one built must be indexed again.
"""
LICENCE = """## Licence

To be filled in by who publishes this encoder: the licence of its weights, that of the encoder it started from,
and the rights in the photographs it was trained on.
"""


def escaped(text: str) -> str:
    """Return text from outside as one line that Markdown shows as it is."""
    return re.sub(r"([\\`*{}\[\]<>#|&~]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))


def _block(command: str) -> str:
    """Return a command as a block of code, whatever backticks are in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", command)), default=0))
    return f"{fence}sh\n{command}\n{fence}"


def _trained(history: Sequence[EpochRecord]) -> str:
    """Return in a line how long the encoder was trained, and which epoch was kept."""
    best = best_epoch(history)
    return f"Trained: {total(history)}" + (f"; kept: epoch {best.epoch}" if best else "")


def _table(rows: Sequence[ComparedFigure]) -> str:
    lines = "".join(
        f"| {escaped(row.name)} | {_cell(row.before)} | {_cell(row.after)} | {row.said} | {row.objects} |\n"
        for row in rows
    )
    return f"| figure | before | after | change | objects |\n| --- | --- | --- | --- | --- |\n{lines}"


def _cell(side: Estimate | None) -> str:
    return f"{side.value:.3f} ({side.low:.3f} to {side.high:.3f})" if side else "none"
