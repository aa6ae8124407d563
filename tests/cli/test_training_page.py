"""The page and the pictures of a training, on records made by hand."""

import base64
import io
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from PIL import Image

from cli.pages.charts import Mark, round_values, span
from cli.pages.training import training_chart, training_page
from cli.pictures.training_curves import BLUE, CURVES, GREEN, EpochCurve, curves_figure, curves_png
from indexer.training.history import EpochRecord
from tests.conftest import picture
from tests.page import Page

HOSTILE = "<script>alert(1)</script>\"'&amp;$name ${x}\u202egpj.\udcff.jpg"


def figure(value: float, room: float = 0.03, n: int = 40) -> dict[str, float]:
    return {"value": value, "low": value - room, "high": value + room, "n": n}


BASELINE = {"recall_at_1": figure(0.7), "eer": figure(0.2), "auc": figure(0.9)}
BEFORE = {"eer": figure(0.3), "recall_at_1": figure(0.6), "gap": figure(0.5)}
AFTER = {"eer": figure(0.1), "recall_at_1": figure(0.63), "gap": figure(0.4)}
LOSS, AUC = CURVES[0], CURVES[-1]


def history(epochs: int = 6, best: int = 4) -> list[EpochRecord]:
    """Return records whose figures rise until epoch `best`."""
    return [
        EpochRecord(
            phase="head" if number <= 2 else "tower",
            epoch=number,
            loss=1 / number,
            active=0.9 / number,
            rate=0.01,
            spread=1.1,
            recall_at_1=0.9 - 0.01 * abs(best - number),
            eer=0.1 + 0.01 * abs(best - number),
            auc=0.95 - 0.01 * abs(best - number),
            seconds=75.0,
            views=1200,
            best=number <= best,
        )
        for number in range(1, epochs + 1)
    ]


def page(**changed: Any) -> str:
    values: dict[str, Any] = {
        "about": {"Started from": "default", "Seed": "3"},
        "command": "artifact train photos --seed 3",
        "history": history(),
        "baseline": BASELINE,
        "before": BEFORE,
        "after": AFTER,
    }
    text = training_page(changed.pop("name", "prints"), **(values | changed))
    text.encode()  # no lone surrogate is left
    return text


def words(text: str) -> str:
    return " ".join(Page(text).text.split())


def marks(curve: EpochCurve, records: Sequence[EpochRecord], shape: str, kind: str, baseline: Any = None) -> list[Mark]:
    """Return what is drawn of one shape and kind."""
    drawn = training_chart(curve, records, baseline or {}).marks
    return [mark for mark in drawn if (mark.shape, mark.kind) == (shape, kind)]


def lines(curve: int, records: Sequence[EpochRecord], baseline: Any = None) -> dict[str, Any]:
    """Return the lines of one curve of the picture, by what the legend calls them."""
    axes = curves_figure(records, baseline or {}).axes[curve]
    return {str(line.get_label()): line for line in axes.lines}


def test_the_page_says_what_was_trained_and_what_it_came_to() -> None:
    text = words(page()).replace(" ", "")  # cells stand side by side
    for said in (
        "Training of prints Started from default Seed 3 Written",
        "artifact train photos --seed 3",
        "EER 0.300 0.270 to 0.330 0.100 0.070 to 0.130 better 40",
        "recall@1 0.600 0.570 to 0.630 0.630 0.600 to 0.660 intervals overlap 40",
        "GAP 0.500 0.470 to 0.530 0.400 0.370 to 0.430 worse 40",
        "Measured on 40 objects held back",
        "do not prove",
    ):
        assert said.replace(" ", "") in text
    assert "none were held back" in words(page(tested=False))


def test_every_epoch_is_in_the_table_and_the_one_kept_is_marked() -> None:
    rows = re.findall(r'<tr( class="kept")?><th scope="row">(\d+)(.*?)</tr>', page())
    assert [int(number) for _, number, _ in rows] == [1, 2, 3, 4, 5, 6]
    assert [number for kept, number, _ in rows if kept] == ["4"]
    cells = re.findall("<td>(.*?)</td>", rows[3][2])
    assert cells == ["tower", "0.2500", "22%", "1.0e-02", "1.100", "0.900", "10.0%", "0.950", "1,200", "1:15"]
    assert "6 epochs, 7,200 views, 7:30" in words(page())


def test_what_was_not_measured_is_left_empty() -> None:
    records = [replace(record, eer=math.nan) for record in history()]
    cells = re.findall("<td>(.*?)</td>", page(history=records))
    assert cells.count("") == 6 and "nan" not in words(page(history=records))
    assert 'aria-label="EER: not measured"' in page(history=records)


def test_the_page_needs_nothing_from_outside_and_runs_nothing() -> None:
    read = Page(page(hardest=[(picture(1), picture(2), 0.4, "a copy")]))
    assert not read.tags["script"] and not read.tags["link"]
    assert all(value.startswith("data:") for _, name, value in read.attributes if name in ("src", "href"))
    policy = next(value for _, name, value in read.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert "url(" not in page() and "@import" not in page()


def test_text_from_outside_is_only_text() -> None:
    hardest = [(picture(1), picture(2), 1.0, HOSTILE)]
    records = [replace(record, phase=HOSTILE) for record in history()]
    text = page(name=HOSTILE, about={HOSTILE: HOSTILE}, command=HOSTILE, hardest=hardest, history=records)
    assert "<script" not in text
    assert words(text).count("<script>alert(1)</script>\"'&amp;$name ${x}") >= 5


def test_each_curve_is_there_with_its_course_in_words() -> None:
    text = page()
    said = re.findall(r'<svg viewBox="0 0 420 300" role="img" aria-label="([^"]+)">', text)
    assert said[3] == "Recall@1: from 0.870 to 0.880" and len(said) == len(CURVES)
    for curve in CURVES:
        assert f"{curve.title} {curve.meaning}" in words(text)
    assert "epoch 4, kept: 0.900" in words(text) and "before: 0.700" in words(text)
    assert "image/png" not in text  # colours of day and night come from the style
    assert "no epoch was finished" in words(page(history=[]))


def test_hard_pairs_are_shown_small_with_their_distance() -> None:
    assert "hardest" not in words(page())
    large = picture(1, size=(3000, 1500))
    text = page(
        hardest=[(large, picture(2).convert("L"), 0.3125, "two works"), (picture(3), picture(4), 0.5, "a copy")]
    )
    assert "distance 0.312 two works" in words(text) and "distance 0.500 a copy" in words(text)
    images = [
        Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"image/jpeg;base64,([^\"]+)", text)
    ]
    assert len(images) == 4 and images[0].size == (360, 180)


def test_the_kept_epoch_is_marked_where_its_value_lies() -> None:
    (kept,) = marks(AUC, history(), "dot", "kept")
    dots = marks(AUC, history(), "dot", "curve")
    assert kept.x == pytest.approx(56 + 3.5 / 6 * (406 - 56)) == pytest.approx(dots[3].x)
    assert kept.y == min(dot.y for dot in dots)  # the largest AUC of all is the highest
    drawn = lines(5, history())["epoch 4, kept: 0.950"]
    assert drawn.get_xydata().tolist() == [[4, 0.95]] and to_rgb(drawn.get_color()) == to_rgb(GREEN)


def test_the_baseline_is_drawn_across_where_it_lies() -> None:
    records = [replace(record, auc=0.95) for record in history()]
    (baseline,) = marks(AUC, records, "line", "baseline", {"auc": figure(0.9)})
    (curve,) = marks(AUC, records, "line", "curve", {"auc": figure(0.9)})
    (left, y), (right, also) = ((float(at) for at in point.split()) for point in baseline.path[1:].split("L"))
    assert (left, right) == (56, 406) and y == also
    assert all(y > float(point.split()[1]) for point in curve.path[1:].split("L"))  # 0.9 lies below 0.95
    assert set(lines(5, records, {"auc": figure(0.9)})["before: 0.900"].get_ydata()) == {0.9}


@pytest.mark.parametrize("records", [[], history(1, 1), history(200, 150), history(3, 0)], ids=len)
def test_any_number_of_epochs_can_be_drawn(records: Sequence[EpochRecord]) -> None:
    drawn = curves_png(records, BASELINE)
    assert drawn.mode == "RGB" and drawn.width > 2000
    coloured = [
        (np.asarray(drawn) == np.round(255 * np.array(to_rgb(one)))).all(axis=-1).any() for one in (BLUE, GREEN)
    ]
    assert any(coloured) == bool(records) == bool(marks(LOSS, records, "dot", "curve"))
    page(history=records)


def test_a_gap_in_the_figures_is_a_gap_in_the_curve() -> None:
    records = history()
    broken = [*records[:2], replace(records[2], loss=math.nan), *records[3:]]
    assert [len(marks(LOSS, each, "line", "curve")) for each in (records, broken)] == [1, 2]
    assert len(marks(LOSS, broken, "dot", "curve")) == 5
    nothing = [replace(record, loss=math.nan) for record in records]
    assert not marks(LOSS, nothing, "line", "curve") and not marks(LOSS, nothing, "dot", "curve")
    curves_png(nothing, {})


def test_drawing_curves_says_nothing_even_where_no_cache_of_fonts_can_be_kept() -> None:
    code = "from cli.pictures.training_curves import curves_png; curves_png([], {})"
    environment = os.environ | {"MPLCONFIGDIR": "/dev/null/nowhere"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == told.stderr == ""


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=6))
def test_an_axis_holds_all_values_and_some_round_round_values(values: list[float]) -> None:
    low, high = span(values)
    assert 0 <= low <= min(values) and max(values) <= high and low < high
    values_marked = round_values(low, high, 5)
    room = 1e-6 * (high - low)
    assert 2 <= len(values_marked) <= 6 and all(low - room <= at <= high + room for at in values_marked)


def test_ticks_are_round() -> None:
    assert round_values(0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert round_values(0.057, 0.137, 5) == pytest.approx([0.06, 0.08, 0.1, 0.12])
    assert round_values(0, 120, 5) == [0, 50, 100]
