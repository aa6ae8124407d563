"""The figures of an evaluation in order, with what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.statistics.metrics import Estimate

IDENTIFICATION = {
    "recall_at_1": ("recall@1", "of the photographs of catalogued works, the first object is one that they show"),
    "recall_at_5": ("recall@5", "one of the first five is"),
    "recall_at_10": ("recall@10", "one of the first ten is"),
    "map": ("mAP", "mean average precision of the whole ranking"),
    "gap": ("GAP", "average precision of all first answers together, unknown works among them"),
    "fnir": ("FNIR", "catalogued works not found: another first object, or no match"),
    "fpir": ("FPIR", "unknown works taken for a catalogued one"),
}
VERIFICATION = {
    "accuracy": ("accuracy", "genuine pairs within the threshold, and wrong ones beyond, each kind weighing the same"),
    "precision": ("precision", "of the pairs within the threshold, genuine ones"),
    "recall": ("recall", "of the genuine pairs, within the threshold"),
    "f1": ("F1", "harmonic mean of precision and recall"),
    "false_alarm_rate": ("false alarm rate", "genuine pairs beyond the threshold (FNMR)"),
}
WRONG = {"copy": "copies", "other_work": "nearest other works"}
AGAINST = {
    "miss_rate": ("miss rate", "within the threshold (FMR)"),
    "auc": ("ROC AUC", "the chance that a genuine pair is nearer than one of these"),
    "eer": ("EER", "where false alarms and misses are as many"),
    "miss_at_false_alarm_0.05": ("misses at 5% false alarms", ""),
    "miss_at_false_alarm_0.01": ("misses at 1% false alarms", ""),
    "false_alarm_at_miss_0.05": ("false alarms at 5% misses", ""),
    "false_alarm_at_miss_0.01": ("false alarms at 1% misses", ""),
}
RATIOS = {
    "cllr": ("Cllr", "cost of the likelihood ratios in bits: 0 is perfect, 1 says nothing"),
    "cllr_min": ("Cllr, minimum", "of the best ratios in the same order; the rest is calibration"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A figure with its name and what it means."""

    name: str
    estimate: Estimate
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    rows: tuple[Row, ...]


def sections(figures: Mapping[str, Estimate]) -> list[Section]:
    """Return the figures that there are, in order."""
    found = [
        Section("Finding the object", _rows(figures, IDENTIFICATION)),
        Section("Telling genuine from wrong, at the threshold", _rows(figures, VERIFICATION)),
    ]
    for suffix, said in WRONG.items():
        named = {f"{key}_{suffix}": words for key, words in AGAINST.items()}
        found.append(Section(f"Against {said}", _rows(figures, named)))
    found.append(Section("Likelihood ratios", _rows(figures, RATIOS)))
    return [section for section in found if section.rows]


def _rows(figures: Mapping[str, Estimate], named: Mapping[str, tuple[str, str]]) -> tuple[Row, ...]:
    return tuple(Row(name, figures[key], meaning) for key, (name, meaning) in named.items() if key in figures)
