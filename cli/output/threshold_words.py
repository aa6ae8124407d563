"""The words in which a calibration promises a rate of errors, or refuses to."""

from __future__ import annotations

from cli.output.text import counted
from retrieval.moment import day
from retrieval.statistics.calibration import (
    CONFIDENCE,
    Calibration,
    Threshold,
    Thresholds,
    objects_needed,
    share,
    sources,
)
from retrieval.statistics.likelihood import LikelihoodRatio


def calibration_lines(calibration: Calibration) -> list[str]:
    """Return what there is to say of a calibration, with the number behind each threshold."""
    copies = f", {counted(calibration.copies, 'photograph')} of copies" if calibration.copies else ""
    unlabelled = "" if calibration.sources["labelled"] else ": the catalogue's own, none labelled"
    lines = [
        f"calibration {calibration.number} of {day(calibration.date)}, at {CONFIDENCE:.0%} confidence",
        f"  on {sources(calibration)}{copies}{unlabelled}",
    ]
    lines += _lines("match", calibration.match, "false matches", "pair of objects", "pairs of objects")
    lines += _lines("combined", calibration.combined.threshold, "false alarms", "object compared", "objects compared")
    lines += _by_condition(calibration)
    lines += _lines("global", calibration.whole.threshold, "false alarms", "object", "objects")
    ratios = [measured.ratio for measured in (calibration.combined, calibration.whole) if measured.ratio is not None]
    return lines + [line for ratio in ratios[:1] for line in _ratio(ratio)]


def _by_condition(calibration: Calibration) -> list[str]:
    """Return how many objects were photographed in each condition, and the threshold of each that has its own."""
    counts, combined = calibration.conditions, calibration.combined.threshold
    if not calibration.classes:
        return []
    least = objects_needed(combined.asked or combined.rate)
    lines = [f"{'':12}by condition, with objects photographed so; under {least} are pooled:"]
    for one in calibration.classes:
        named, limit = " + ".join(f"{name} ({counts[name]})" for name in one.conditions), one.measured.threshold
        apart = len(calibration.classes) > 1 and limit.value is not None
        lines.append(f"{'':14}{named}: {f'{limit.value:.3f}, from {limit.count}' if apart else 'together'}")
    return lines


def _lines(name: str, threshold: Threshold, errors: str, one: str, many: str) -> list[str]:
    """Return a threshold with its promise, and where the one that was asked for cannot be given, that too."""
    if threshold.value is None or threshold.confidence is None:
        return [f"  {name:<9} none: there are no {many}"]
    number = counted(threshold.count, one, many)
    lines = [f"  {name:<9} {threshold.value:.3f}: at most {share(threshold.rate)} {errors}, from {number}"]
    if threshold.asked is not None:
        least = objects_needed(threshold.asked, confidence=threshold.confidence)
        lines.append(
            f"{'':12}{share(threshold.asked)} cannot be promised from fewer than {least}: the smallest rate is used"
        )
    return lines


def _ratio(ratio: LikelihoodRatio) -> list[str]:
    return [
        f"  likelihood ratios from {ratio.genuine} objects, and copies of {ratio.copies}; on objects left out they",
        f"{'':12}cost {ratio.cllr:.3f} bits (Cllr: 0 is perfect, 1 says nothing), {ratio.cllr_min:.3f} at best",
    ]


def threshold_lines(thresholds: Thresholds) -> list[str]:
    """Return what there is to say of the thresholds, with the number behind each."""
    return [
        "provisional thresholds:",
        _threshold_line("match", thresholds.match, "false matches", "object"),
        _threshold_line("authenticity", thresholds.authenticity, "false alarms", "simulated re-photograph"),
    ]


def _threshold_line(name: str, threshold: Threshold, errors: str, what: str) -> str:
    number = counted(threshold.count, what)
    if threshold.value is None:
        are = "is" if threshold.count == 1 else "are"
        return f"  {name:<13} none: {number} {are} too few, {threshold.needed} are needed"
    return f"  {name:<13} {threshold.value:.3f} at {threshold.rate:.0%} {errors}, from {number}"
