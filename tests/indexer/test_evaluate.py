"""An evaluation: figures recomputed by hand, what is compared with what, and the page that shows it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import det_curve, roc_auc_score

from cli.pages.charts import Axis, Plane, probit
from cli.pages.evaluation import evaluation_page
from cli.records.figure_names import sections
from indexer.inputs.queries import Query
from indexer.measuring.evaluate import Evaluation, NothingToEvaluate, evaluate, relative_distance
from indexer.measuring.evaluation_figures import COPY, GENUINE, OTHER
from indexer.simulation.alterations import alter
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.encoder.encoder import load_encoder
from retrieval.finding.match import Match
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import judge_all
from retrieval.statistics.calibration import Threshold, Thresholds
from retrieval.statistics.verification import Pairs, Trials
from tests.conftest import index
from tests.page import Page
from tests.pictures import painting, write_paintings
from tests.retrieval.test_log import calibrated

WORKS, UNKNOWN = 4, 1


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """Four paintings, calibrated by hand; a genuine photograph of each, copies of three, and an unknown work."""
    root = tmp_path_factory.mktemp("museum")
    write_paintings(root / "works", WORKS)
    lines = []
    for number in range(WORKS):
        rephotograph(painting(number), seed=number).save(root / f"g{number}.jpg", quality=92)
        lines.append(f"g{number}.jpg,{number:02},1")
    for number in range(3):
        copy = alter(painting(number), "removed", area=0.06, donor=painting(9), seed=number)
        rephotograph(copy.image, seed=50 + number).save(root / f"c{number}.jpg", quality=92)
        lines.append(f"c{number}.jpg,{number:02},0")
    for number in range(UNKNOWN):
        rephotograph(painting(90 + number), seed=90 + number).save(root / f"u{number}.jpg", quality=92)
        lines.append(f"u{number}.jpg,elsewhere {number},1")
    (root / "labels.csv").write_text("photo,object_id,label\n" + "\n".join(lines) + "\n")
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    edition = open_edition(root / "data", parallel=2)
    with Catalogue.writing(root / "data") as catalogue:
        catalogue.add_calibration(calibrated(edition, 0.25))
    return root


@pytest.fixture(scope="module")
def edition(museum) -> Edition:
    return open_edition(museum / "data", parallel=2)


@pytest.fixture(scope="module")
def queries(museum) -> list[Query]:
    found = [Query(museum / f"g{number}.jpg", frozenset({f"{number:02}"})) for number in range(WORKS)]
    found += [Query(museum / f"c{number}.jpg", frozenset(), copy_of=f"{number:02}") for number in range(3)]
    return found + [Query(museum / f"u{number}.jpg", frozenset()) for number in range(UNKNOWN)]


@pytest.fixture(scope="module")
def found(edition, queries) -> Evaluation:
    return evaluate(edition, queries)


def distances(found: Evaluation, kind: str) -> np.ndarray:
    return np.array([trial.relative for trial in found.trials if trial.kind == kind])


def test_each_photograph_is_compared_with_what_it_shows_or_copies_and_with_the_nearest_others(found, queries):
    genuine = [(trial.photo.name, trial.object_id) for trial in found.trials if trial.kind == GENUINE]
    assert genuine == [(f"g{number}.jpg", f"{number:02}") for number in range(WORKS)]
    copies = [(trial.photo.name, trial.object_id) for trial in found.trials if trial.kind == COPY]
    assert copies == [(f"c{number}.jpg", f"{number:02}") for number in range(3)]
    others = [(trial.photo.name, trial.object_id) for trial in found.trials if trial.kind == OTHER]
    assert len(others) == len(set(others)) == 3 * len(queries) and not set(others) & {*genuine, *copies}


def test_the_figures_are_those_of_a_plain_count(found):
    genuine, copies, others = (distances(found, kind) for kind in (GENUINE, COPY, OTHER))
    passed = np.mean(genuine <= 1)
    wrong = (np.mean(copies <= 1) + np.mean(others <= 1)) / 2
    value = {name: estimate.value for name, estimate in found.figures.items()}
    assert value["false_alarm_rate"] == pytest.approx(1 - passed)
    assert value["recall"] == pytest.approx(passed)
    assert value["accuracy"] == pytest.approx((passed + 1 - wrong) / 2)
    assert value["precision"] == pytest.approx(passed / (passed + wrong))
    assert value["miss_rate_copy"] == pytest.approx(np.mean(copies <= 1))
    for kind, wrong_ones in ((COPY, copies), (OTHER, others)):
        labels = np.repeat([1, 0], [len(genuine), len(wrong_ones)])
        auc = roc_auc_score(labels, -np.concatenate([genuine, wrong_ones]))
        assert value[f"auc_{kind.replace(' ', '_')}"] == pytest.approx(auc)
    assert value["recall_at_1"] == 1.0 and value["fnir"] == 0.0
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in found.figures.values())


def test_the_outcomes_are_counted_by_truth(found):
    assert sum(found.confusion["genuine, in the catalogue"].values()) == WORKS
    assert sum(found.confusion["copy of a catalogued work"].values()) == 3
    assert sum(found.confusion["not in the catalogue"].values()) == UNKNOWN
    assert found.confusion["copy of a catalogued work"]["divergent"] == 3
    assert found.counts["known"] == WORKS and found.counts["copies"] == 3 and found.counts["unknown"] == UNKNOWN


def test_photographs_that_are_exemplars_are_asked_for_without_themselves(edition, museum):
    work = museum / "works" / "03.png"
    rephotograph(painting(3), seed=77).save(museum / "other.png")
    (verdict,) = judge_all(edition, [work], k=3, apart=True)
    assert "03" not in [match.object_id for match in verdict.works[0].matches]
    (verdict,) = judge_all(edition, [work], k=3)
    assert verdict.works[0].matches[0].object_id == "03" and verdict.works[0].matches[0].distance == 0.0
    with pytest.raises(NothingToEvaluate):
        evaluate(edition, [Query(work, frozenset({"03"}))])


def test_the_relative_distance_is_that_of_the_threshold_that_decides():
    limits = Thresholds(Threshold(0.6, 0.05, 60), Threshold(0.8, 0.05, 60), Threshold(0.5, 0.05, 60))
    assert relative_distance(Match("a", Path("a"), 0.3), limits) == pytest.approx(0.5)
    limits = Thresholds(Threshold(0.9, 0.05, 60), Threshold(0.4, 0.05, 60), Threshold(0.5, 0.05, 60))
    assert relative_distance(Match("a", Path("a"), 0.3), limits) == pytest.approx(0.75)


@pytest.mark.slow
def test_a_catalogue_without_thresholds_cannot_be_evaluated(tmp_path, queries):
    write_paintings(tmp_path / "works", 3)
    index(tmp_path / "works", tmp_path / "data", encoder=load_encoder(parallel=2))
    with pytest.raises(NothingToEvaluate, match="artifact calibrate"):
        evaluate(open_edition(tmp_path / "data"), queries)


def test_the_worst_errors_come_first_and_are_errors(found):
    badness = [fault.badness for fault in found.worst]
    assert badness == sorted(badness, reverse=True)
    for fault in found.worst:
        assert (fault.relative > 1) == fault.what.startswith("genuine")


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.2, 0.5, 1.0])
def test_rates_at_a_fixed_other_rate_are_those_of_scikit_learn(rate):
    random = np.random.default_rng(4)
    genuine, wrong = random.normal(0.4, 0.2, 60), random.normal(0.8, 0.3, 80)
    owners = np.zeros(80, np.int64)
    curve = Trials.of(Pairs(genuine, owners[:60]), Pairs(wrong, owners)).whole()
    labels = np.repeat([1, 0], [60, 80])
    misses, alarms, _ = det_curve(labels, -np.concatenate([genuine, wrong]))
    misses, alarms = np.append(misses, [0.0, 1.0]), np.append(alarms, [1.0, 0.0])
    assert curve.miss_at(rate) == pytest.approx(min(misses[alarms <= rate + 1e-12]))
    assert curve.false_alarm_at(rate) == pytest.approx(min(alarms[misses <= rate + 1e-12]))


# -- the page


def test_the_page_has_every_figure_curve_and_error_and_loads_nothing(found, edition):
    shown = sections(found.figures)
    text = "".join(evaluation_page("<labels>.csv", {"photographs": "eight & more"}, shown, found, edition))
    page = Page(text)
    assert "&lt;labels&gt;.csv" in text and "eight &amp; more" in text
    for section in shown:
        assert section.title in text and all(row.name in text and row.meaning in text for row in section.rows)
    assert len(re.findall("<figure", text)) == 3 and all(title in text for title in ("Distances", "ROC", "DET"))
    assert text.count("<li><div>") == len(found.worst)
    assert all(value.startswith("data:") for _, name, value in page.attributes if name in ("src", "href"))


def test_every_figure_has_a_name_and_a_section(found):
    named = {id(row.estimate) for section in sections(found.figures) for row in section.rows}
    assert named == {id(estimate) for estimate in found.figures.values()}


def test_plots_put_values_where_they_belong():
    axis = Axis("x", 0.0, 2.0, ((0.0, "0"), (1.0, "1"), (2.0, "2")))
    assert [axis.place(value) for value in (-1, 0, 1, 2, 5)] == [0, 0, 0.5, 1, 1]
    plane = Plane(axis, axis)
    assert plane.line([(0, 0), (1, 1), (2, 2)], "even").path == "M56.0 256.0L231.0 134.0L406.0 12.0"
    (bar,) = plane.bars([0.0, 2.0], "genuine", slot=0, slots=1)
    assert (bar.x, bar.y, bar.width, bar.height) == pytest.approx((245.0, 12.0, 147.0, 244.0))
    long = plane.line([(at / 5000, at / 5000) for at in range(10001)], "even").path
    assert long.count("L") < 500 and long.endswith("406.0 12.0")


@pytest.mark.parametrize(("share", "deviate"), [(0.5, 0.0), (0.975, 1.959964), (0.01, -2.326348)])
def test_probit_is_the_normal_deviate(share, deviate):
    assert probit(share) == pytest.approx(deviate, abs=1e-5)


@pytest.mark.slow
def test_the_command_prints_figures_or_json_and_writes_the_page(museum, tmp_path, found):
    command = [sys.executable, "-m", "cli.main", "evaluate", str(museum / "labels.csv"), "--data", str(museum / "data")]
    told = subprocess.run([*command, "--report", str(tmp_path / "e.html")], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "calibration 1 of 2026-01-01" in told.stdout and "false alarm rate" in told.stdout
    assert "Evaluation of" in (tmp_path / "e.html").read_text()
    as_json = json.loads(subprocess.run([*command, "-f", "json"], capture_output=True, text=True, check=True).stdout)
    assert as_json["figures"]["accuracy"]["value"] == found.figures["accuracy"].value
    assert as_json["confusion"] == {truth: dict(row) for truth, row in found.confusion.items()}
    assert len(as_json["pairs"]) == len(found.trials)


def test_the_command_says_what_is_wrong_with_a_table(museum, tmp_path):
    (tmp_path / "bad.csv").write_text("photo,catalogue_ids\nno.jpg,1\n")
    command = [sys.executable, "-m", "cli.main", "evaluate", str(tmp_path / "bad.csv"), "--data", str(museum / "data")]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 1 and told.stdout == "" and "line 2: there is no photo no.jpg" in told.stderr
    assert told.stderr.count("\n") == 1
