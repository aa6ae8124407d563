"""Show an evaluation on one page: figures with their intervals, curves, and the worst errors side by side."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
from PIL import ImageOps

from cli.output.text import escaped
from cli.pages.charts import Axis, bars, dot, line, marker, plot, probit
from cli.records.evaluation_figures import Section
from indexer.measuring.evaluate import Assessment
from indexer.measuring.evaluation_figures import COPY, GENUINE, OTHER, Fault
from retrieval.errors import UnreadableImage
from retrieval.outcome import Outcome
from retrieval.photographs.images import read_photograph
from retrieval.statistics.likelihood import isotonic
from retrieval.statistics.verification import Curve

SIDE, QUALITY = 360, 82
STEPS = 20
FARTHEST = 2.5  # of the threshold, in the histogram; what is farther stands in the last bar
MOST = 3.0  # log10 of a likelihood ratio, either way, that is drawn
KINDS = {GENUINE: "genuine", COPY: "copy", OTHER: "other"}
SHARES = (0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)
SAID = {GENUINE: "genuine photographs", COPY: "copies", OTHER: "nearest other works"}


def evaluation_page(
    name: str, about: Mapping[str, str], sections: Sequence[Section], found: Assessment
) -> Iterator[str]:
    """Yield one self-contained HTML page in pieces."""
    templates = files("cli.pages") / "templates"
    yield Template((templates / "evaluation.html").read_text("utf-8")).substitute(
        style=(templates / "screening.css").read_text("utf-8"),
        name=escaped(name),
        about="".join(f"<dt>{escaped(key)}</dt><dd><bdi>{escaped(value)}</bdi></dd>\n" for key, value in about.items()),
        confusion=_confusion(found.confusion),
        figures="".join(_section(section) for section in sections),
        plots="".join(plots(found)),
        worst=_worst(found.worst),
    )


def _confusion(table: Mapping[str, Mapping[str, int]]) -> str:
    columns = [str(outcome) for outcome in Outcome]
    columns += sorted({outcome for row in table.values() for outcome in row} - set(columns))
    head = "".join(f"<th>{escaped(column)}</th>" for column in columns)
    rows = ""
    for truth, row in table.items():
        cells = "".join(
            f'<td class="n{"" if row.get(column) else " zero"}">{row.get(column, 0)}</td>' for column in columns
        )
        rows += f'<tr><th scope="row">{escaped(truth)}</th>{cells}</tr>\n'
    return f"<thead><tr><th>truth</th>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n"


def _count(number: int) -> str:
    return f'<td class="n">{number}</td>' if number else '<td class="n zero">0</td>'


def _section(section: Section) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(row.name)}</th><td class="n"><b>{row.estimate.value:.3f}</b></td>'
        f'<td class="n">{row.estimate.low:.3f} to {row.estimate.high:.3f}</td><td class="n">{row.estimate.n}</td>'
        f"<td>{escaped(row.meaning)}</td></tr>\n"
        for row in section.rows
    )
    if not rows:
        return ""
    head = "<tr><th>figure</th><th>value</th><th>95% interval</th><th>objects</th><th>meaning</th></tr>"
    return (
        f'<section>\n<h2>{escaped(section.title)}</h2>\n<div class="wide"><table><thead>{head}</thead>\n<tbody>\n'
        f"{rows}</tbody></table></div>\n</section>\n"
    )


def plots(found: Assessment) -> Iterator[str]:
    """Yield the figures that there is something to draw for."""
    yield _histogram(found)
    if found.curves:
        yield _roc(found.curves)
        yield _det(found.curves)
    if found.ratios:
        yield _reliability(found.ratios)


def _histogram(found: Assessment) -> str:
    edges = np.linspace(0.0, FARTHEST, STEPS + 1)
    kinds = [kind for kind in KINDS if any(trial.kind == kind for trial in found.trials)]
    shares = {}
    for kind in kinds:
        values = np.clip([trial.relative for trial in found.trials if trial.kind == kind], 0.0, FARTHEST - 1e-9)
        shares[kind] = np.histogram(values, edges)[0] / len(values)
    highest = max(0.1, math.ceil(10 * max(float(share.max()) for share in shares.values())) / 10)
    ticks = tuple((at, f"{at:g}" if at < FARTHEST else f"{at:g}+") for at in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5))
    x = Axis("distance, as a share of its threshold", 0.0, FARTHEST, ticks)
    y = Axis("share of the pairs", 0.0, highest, tuple((at, f"{at:.0%}") for at in np.linspace(0, highest, 6).tolist()))
    drawn = [
        bars(x, y, shares[kind].tolist(), KINDS[kind], slot=slot, slots=len(kinds)) for slot, kind in enumerate(kinds)
    ]
    counts = {kind: sum(trial.kind == kind for trial in found.trials) for kind in kinds}
    legend = [(KINDS[kind], f"{SAID[kind]} ({counts[kind]})") for kind in kinds]
    return plot("Distances", x, y, [*drawn, marker(x, 1.0, "threshold")], legend)


def _at_threshold(curve: Curve) -> tuple[float, float]:
    """Return miss rate and false alarm rate at the threshold."""
    at = curve.at(1.0)
    return at.wrong_passed, at.genuine_flagged


def _roc(curves: Mapping[str, Curve]) -> str:
    ticks = tuple((at, f"{at:.0%}") for at in (0.0, 0.25, 0.5, 0.75, 1.0))
    x, y = Axis("wrong pairs passed (miss rate)", 0.0, 1.0, ticks), Axis("genuine pairs passed", 0.0, 1.0, ticks)
    drawn = [line(x, y, [(0.0, 0.0), (1.0, 1.0)], "even")]
    for kind, curve in curves.items():
        drawn.append(
            line(x, y, list(zip(curve.miss.tolist(), (1.0 - curve.false_alarm).tolist(), strict=True)), KINDS[kind])
        )
        miss, false_alarm = _at_threshold(curve)
        drawn.append(dot(x, y, (miss, 1.0 - false_alarm), KINDS[kind]))
    legend = [(KINDS[kind], f"against {SAID[kind]}: AUC {curve.auc:.3f}") for kind, curve in curves.items()]
    return plot("ROC", x, y, drawn, legend)


def _det(curves: Mapping[str, Curve]) -> str:
    ticks = tuple((at, f"{at:.1%}" if at < 0.01 else f"{at:.0%}") for at in SHARES)
    ends = SHARES[0] / 2, 1.0 - (1.0 - SHARES[-1]) / 2
    x = Axis("wrong pairs passed (miss rate)", *ends, ticks, probit)
    y = Axis("genuine flagged (false alarms)", *ends, ticks, probit)
    drawn = [line(x, y, [(share, share) for share in ends], "even")]
    for kind, curve in curves.items():
        drawn.append(line(x, y, list(zip(curve.miss.tolist(), curve.false_alarm.tolist(), strict=True)), KINDS[kind]))
        drawn.append(dot(x, y, _at_threshold(curve), KINDS[kind]))
    legend = [(KINDS[kind], f"{SAID[kind]}: EER {curve.equal_error.rate:.1%}") for kind, curve in curves.items()]
    return plot("DET: both errors, on normal scales", x, y, drawn, [*legend, ("even", "equal errors")])


def _reliability(ratios: Mapping[str, Sequence[float]]) -> str:
    """Draw what the ratios say against what these photographs say: the best ratios in the same order."""
    stated = np.log10(np.concatenate([ratios[GENUINE], ratios[COPY]]))
    labels = np.repeat([1.0, 0.0], [len(ratios[GENUINE]), len(ratios[COPY])])
    weights = np.where(labels > 0, 0.5 / len(ratios[GENUINE]), 0.5 / len(ratios[COPY]))
    chance = np.clip(isotonic(stated, labels, weights), 1e-9, 1.0 - 1e-9)
    order = np.argsort(stated, kind="stable")
    points = list(zip(stated[order].tolist(), np.log10(chance / (1.0 - chance))[order].tolist(), strict=True))
    ticks = tuple((float(at), f"{10.0**at:g}") for at in (-3, -2, -1, 0, 1, 2, 3))
    x = Axis("likelihood ratio, as stated", -MOST, MOST, ticks)
    y = Axis("as these photographs bear it out", -MOST, MOST, ticks)
    drawn = [line(x, y, [(-MOST, -MOST), (MOST, MOST)], "even"), line(x, y, points, "genuine")]
    legend = [("genuine", f"{len(ratios[GENUINE])} genuine, {len(ratios[COPY])} copies"), ("even", "well calibrated")]
    return plot("Reliability of the likelihood ratios", x, y, drawn, legend)


def _worst(faults: Sequence[Fault]) -> str:
    if not faults:
        return ""
    shown = ""
    for fault in faults:
        both = "".join(_picture(path) for path in (fault.exemplar, fault.photo))
        relative = f" at {fault.relative:.2f} of its threshold" if fault.relative else ""
        said = f"{fault.what}{relative}: {fault.photo.name} against {fault.object_id}"
        shown += f"<li><div>{both}</div><p><bdi>{escaped(said)}</bdi></p></li>\n"
    guide = '<p class="guide">The exemplar on the left, the photograph on the right.</p>'
    return (
        f'<section>\n<h2>The worst errors: {len(faults)}</h2>\n{guide}\n<ul class="faults">\n{shown}</ul>\n</section>\n'
    )


def _picture(path: Path) -> str:
    try:
        image = read_photograph(path, short_side=SIDE, max_megapixels=math.inf).image
    except UnreadableImage:
        return '<span class="missing">cannot be shown</span>'
    file = io.BytesIO()
    ImageOps.contain(image.convert("RGB"), (SIDE, SIDE)).save(file, "JPEG", quality=QUALITY)
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}" alt="">'
