"""Show an evaluation on one page: figures with their intervals, curves, and the worst errors side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from PIL import ImageOps

from cli.pages.charts import Axis, Chart, Mark, Plane, probit
from cli.pages.parts import outcome_columns
from cli.pages.templating import page_pieces
from cli.pictures.data_uri import data_uri
from cli.records.figure_names import Section
from indexer.measuring.evaluate import Evaluation
from indexer.measuring.evaluation_figures import COPY, GENUINE, OTHER, Fault
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import Edition
from retrieval.photographs.images import read_photograph
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.likelihood import isotonic
from retrieval.statistics.verification import Curve

SIDE, QUALITY = 360, 82
STEPS = 20
FARTHEST = 2.5  # of the threshold, in the histogram; a distance beyond it stands in the last bar
MOST = 3.0  # of the log10 of a likelihood ratio, either way, drawn in the chart of their reliability
KINDS = {GENUINE: "genuine", COPY: "copy", OTHER: "other"}
SHARES = (0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)
SAID = {GENUINE: "genuine photographs", COPY: "copies", OTHER: "nearest other works"}


def evaluation_page(
    name: str, about: Mapping[str, str], sections: Sequence[Section], evaluation: Evaluation, edition: Edition
) -> Iterator[str]:
    """Yield one self-contained HTML page in pieces."""
    return page_pieces(
        "evaluation.html",
        name=name,
        about=about,
        outcomes=outcome_columns(evaluation.confusion),
        confusion=evaluation.confusion,
        sections=sections,
        charts=charts(evaluation),
        faults=[(fault, list(_pictures(fault, edition))) for fault in evaluation.worst],
    )


def _pictures(fault: Fault, edition: Edition) -> Iterator[str]:
    """Yield the exemplar and the photograph of an error as addresses."""
    yield _picture(lambda: edition.read_exemplar(fault.object_id, fault.exemplar, short_side=SIDE))
    yield _picture(lambda: read_photograph(fault.photo, short_side=SIDE, max_megapixels=math.inf))


def _picture(read: Callable[[], Photograph]) -> str:
    """Return a photograph as an address; nothing of a photograph that cannot be read."""
    try:
        image = read().image
    except UnreadableImage:
        return ""
    return data_uri(ImageOps.contain(image, (SIDE, SIDE)), QUALITY)


def charts(evaluation: Evaluation) -> Iterator[Chart]:
    """Yield each chart for which the evaluation has figures."""
    yield _histogram(evaluation)
    if evaluation.curves:
        yield _roc(evaluation.curves)
        yield _det(evaluation.curves)
    if evaluation.ratios:
        yield _reliability(evaluation.ratios)


def _histogram(evaluation: Evaluation) -> Chart:
    edges = np.linspace(0.0, FARTHEST, STEPS + 1)
    kinds = [kind for kind in KINDS if any(trial.kind == kind for trial in evaluation.trials)]
    shares = {}
    for kind in kinds:
        values = np.clip([trial.relative for trial in evaluation.trials if trial.kind == kind], 0.0, FARTHEST - 1e-9)
        shares[kind] = np.histogram(values, edges)[0] / len(values)
    highest = max(0.1, math.ceil(10 * max(float(share.max()) for share in shares.values())) / 10)
    ticks = tuple((at, f"{at:g}" if at < FARTHEST else f"{at:g}+") for at in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5))
    x = Axis("distance, as a share of its threshold", 0.0, FARTHEST, ticks)
    y = Axis("share of the pairs", 0.0, highest, tuple((at, f"{at:.0%}") for at in np.linspace(0, highest, 6).tolist()))
    plane, drawn = Plane(x, y), list[Mark]()
    for slot, kind in enumerate(kinds):
        drawn += plane.bars(shares[kind].tolist(), KINDS[kind], slot=slot, slots=len(kinds))
    counts = {kind: sum(trial.kind == kind for trial in evaluation.trials) for kind in kinds}
    legend = [(KINDS[kind], f"{SAID[kind]} ({counts[kind]})") for kind in kinds]
    return Chart("Distances", plane, [*drawn, plane.marker(1.0, "threshold")], legend)


def _at_threshold(curve: Curve) -> tuple[float, float]:
    """Return miss rate and false alarm rate at the threshold."""
    at = curve.at(1.0)
    return at.wrong_passed, at.genuine_flagged


def _roc(curves: Mapping[str, Curve]) -> Chart:
    ticks = tuple((at, f"{at:.0%}") for at in (0.0, 0.25, 0.5, 0.75, 1.0))
    x, y = Axis("wrong pairs passed (miss rate)", 0.0, 1.0, ticks), Axis("genuine pairs passed", 0.0, 1.0, ticks)
    plane = Plane(x, y)
    drawn = [plane.line([(0.0, 0.0), (1.0, 1.0)], "even")]
    for kind, curve in curves.items():
        points = zip(curve.miss.tolist(), (1.0 - curve.false_alarm).tolist(), strict=True)
        miss, false_alarm = _at_threshold(curve)
        drawn += [plane.line(list(points), KINDS[kind]), plane.dot((miss, 1.0 - false_alarm), KINDS[kind])]
    legend = [(KINDS[kind], f"against {SAID[kind]}: AUC {curve.auc:.3f}") for kind, curve in curves.items()]
    return Chart("ROC", plane, drawn, legend)


def _det(curves: Mapping[str, Curve]) -> Chart:
    ticks = tuple((at, f"{at:.1%}" if at < 0.01 else f"{at:.0%}") for at in SHARES)
    ends = SHARES[0] / 2, 1.0 - (1.0 - SHARES[-1]) / 2
    x = Axis("wrong pairs passed (miss rate)", *ends, ticks, probit)
    y = Axis("genuine flagged (false alarms)", *ends, ticks, probit)
    plane = Plane(x, y)
    drawn = [plane.line([(share, share) for share in ends], "even")]
    for kind, curve in curves.items():
        points = zip(curve.miss.tolist(), curve.false_alarm.tolist(), strict=True)
        drawn += [plane.line(list(points), KINDS[kind]), plane.dot(_at_threshold(curve), KINDS[kind])]
    legend = [(KINDS[kind], f"{SAID[kind]}: EER {curve.equal_error.rate:.1%}") for kind, curve in curves.items()]
    return Chart("DET: both errors, on normal scales", plane, drawn, [*legend, ("even", "equal errors")])


def _reliability(ratios: Mapping[str, Sequence[float]]) -> Chart:
    """Draw what the ratios say against what these photographs say: the best ratios in the same order."""
    stated = np.log10(np.concatenate([ratios[GENUINE], ratios[COPY]]))
    labels = np.repeat([1.0, 0.0], [len(ratios[GENUINE]), len(ratios[COPY])])
    weights = np.where(labels > 0, 0.5 / len(ratios[GENUINE]), 0.5 / len(ratios[COPY]))
    chance = np.clip(isotonic(stated, labels, weights), 1e-9, 1.0 - 1e-9)
    order = np.argsort(stated, kind="stable")
    points = list(zip(stated[order].tolist(), np.log10(chance / (1.0 - chance))[order].tolist(), strict=True))
    ticks = tuple((float(at), f"{10.0**at:g}") for at in (-3, -2, -1, 0, 1, 2, 3))
    x = Axis("likelihood ratio, as stated", -MOST, MOST, ticks)
    plane = Plane(x, Axis("as these photographs bear it out", -MOST, MOST, ticks))
    drawn = [plane.line([(-MOST, -MOST), (MOST, MOST)], "even"), plane.line(points, "genuine")]
    legend = [("genuine", f"{len(ratios[GENUINE])} genuine, {len(ratios[COPY])} copies"), ("even", "well calibrated")]
    return Chart("Reliability of the likelihood ratios", plane, drawn, legend)
