"""Show how a training went, with its result, on one page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from string import Template

from PIL import Image, ImageOps

from cli.output.text import escaped
from cli.pictures.training_curves import CURVES, DAY, HEIGHT, NIGHT, WIDTH, Curve, draw_curve
from indexer.training.history import EpochRecord, best_epoch, duration, total
from indexer.training.model_card import Compared, Figures, compared, measured_on
from retrieval.statistics.metrics import Estimate

Pair = tuple[Image.Image, Image.Image, float, str]  # two photographs, their distance, and why they are shown
PHOTO_SIDE, QUALITY = 360, 85


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
    templates, best = files("cli.pages") / "templates", best_epoch(history)
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
