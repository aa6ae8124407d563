"""`artifact calibrate`: what it promises and refuses to promise, in words, and what comes of it afterwards."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.output.threshold_words import calibration_lines
from indexer.measuring import calibrate as calibrating
from indexer.measuring.fitting import Case, Distances
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.catalogue.vector_index import Vectors
from retrieval.statistics.calibration import (
    CalibratedDistance,
    Calibration,
    ConditionClass,
    Threshold,
    lower_bound,
    upper_bound,
)
from retrieval.statistics.likelihood import LikelihoodRatio
from retrieval.verdicts.log import VerdictLog
from tests.conftest import DIM, TINY, content, exemplar, touch, unit
from tests.pictures import painting, write_paintings

runner = CliRunner()


def run(*arguments: object, code: int = 0) -> tuple[str, str]:
    """Return what a command prints, and what it says beside."""
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout, result.stderr


def squeezed(text: str) -> str:
    return " ".join(text.split())


# Promises, on made-up distances


def made_up(count: int, data: Path) -> SimpleNamespace:
    """Write a catalogue of so many objects, each a vector and no more, and return an edition of it."""
    hashes = [f"{number:015x}{0:049x}" for number in range(count)]
    with Catalogue.writing(data) as catalogue:
        catalogue.set_encoder(EncoderRecord("tiny", TINY, "fp32", DIM))
        vectors = unit(np.random.default_rng(count).standard_normal((count, DIM)))
        catalogue.add_vectors(zip(map(content, hashes), vectors, strict=True), TINY)
        catalogue.apply(Changes(put=[exemplar(f"o{n}", sha256=sha256) for n, sha256 in enumerate(hashes)]))
        photos = {photo.photo_id: photo for photo in catalogue.photos()}
        return SimpleNamespace(
            data=data,
            encoder=SimpleNamespace(fingerprint=TINY),
            measured_by=TINY,
            revision=catalogue.revision,
            finder=SimpleNamespace(vectors=Vectors.of(vectors, hashes)),
            exemplars={photo.object_id: [photo] for photo in photos.values()},
        )


@pytest.fixture
def labels(tmp_path, monkeypatch):
    """Return a function that makes a catalogue with one labelled photograph of each of so many objects."""

    def measure(edition: object, cases: list[Case], **_: object) -> tuple[list[Distances], list]:
        drawn = np.random.default_rng(0).uniform(0.1, 0.9, (len(cases), 2)).tolist()
        found = [Distances(case, case.path.name, *pair) for case, pair in zip(cases, drawn, strict=True)]
        return found, []

    def write(count: int) -> Path:
        names = [f"{number}.jpg" for number in range(count)]
        touch(tmp_path, *names)
        rows = [f"{name},o{number},1" for number, name in enumerate(names)]
        (tmp_path / "labels.csv").write_text("\n".join(["photo,object_id,label", *rows]), encoding="utf-8")
        edition = made_up(count, tmp_path / "data")
        monkeypatch.setattr("cli.runs.judging_options.LookingOptions.open_edition", lambda *_, **__: edition)
        monkeypatch.setattr(calibrating, "measure", measure)
        return tmp_path / "labels.csv"

    return write


@pytest.mark.parametrize(
    ("count", "false_alarms", "pairs", "false_matches"),
    [
        (3, "63.2%", "1 pair of objects", "95%"),
        (10, "25.9%", "5 pairs of objects", "45.1%"),
        (30, "9.6%", "15 pairs of objects", "18.2%"),
    ],
)
def test_few_objects_cannot_carry_what_is_asked_and_what_they_carry_is_used(
    labels, tmp_path, count, false_alarms, pairs, false_matches
):
    source = labels(count)
    arguments = (
        "calibrate",
        "--yes",
        source,
        "--false-alarm",
        0.05,
        "--false-match",
        0.01,
        "--data",
        tmp_path / "data",
    )
    printed, beside = run(*arguments)
    lines = [squeezed(line) for line in printed.splitlines()]
    assert lines[0].startswith("calibration 1 of 20") and lines[0].endswith(", at 95% confidence")
    assert lines[1] == f"on {count} labelled photographs"
    for name, of in (("combined", "objects compared"), ("global", "objects")):
        at = next(number for number, line in enumerate(lines) if line.startswith(name))
        assert lines[at].endswith(f": at most {false_alarms} false alarms, from {count} {of}")
        assert lines[at + 1] == "5% cannot be promised from fewer than 59: the smallest rate is used"
    at = next(number for number, line in enumerate(lines) if line.startswith("match"))
    assert lines[at].endswith(f": at most {false_matches} false matches, from {pairs}")
    assert lines[at + 1] == "1% cannot be promised from fewer than 299: the smallest rate is used"
    assert len(lines) == 8 and "left out" not in beside
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(("count", "beyond"), [(59, 0), (100, 1)])
def test_enough_objects_carry_what_is_asked(labels, tmp_path, count, beyond):
    """And those of the catalogue still cannot carry the rate of false matches."""
    printed, _ = run("calibrate", "--yes", labels(count), "--data", tmp_path / "data")
    pairs = count // 2
    said = squeezed(printed)
    assert said.count(f"at most 5% false alarms, from {count} objects") == 2
    assert "5% cannot be promised" not in said
    assert f"false matches, from {pairs} pairs of objects 1% cannot be promised from fewer than 299" in said
    with Catalogue.reading(tmp_path / "data") as catalogue:
        found = catalogue.calibration()
    for measured in (found.whole, found.combined):
        assert measured.threshold.value == measured.genuine[-1 - beyond]
        assert (measured.threshold.rate, measured.threshold.asked) == (0.05, None)


def test_six_hundred_objects_carry_one_false_match_in_a_hundred(labels, tmp_path):
    printed, _ = run("calibrate", "--yes", labels(600), "--data", tmp_path / "data")
    said = squeezed(printed)
    assert "at most 1% false matches, from 300 pairs of objects" in said
    assert "cannot be promised" not in said


def test_machines_are_told_the_same(labels, tmp_path):
    printed, _ = run("calibrate", "--yes", labels(10), "--format", "json", "--data", tmp_path / "data")
    found = json.loads(printed)
    assert found["number"] == 1 and found["objects"] == 10 and found["encoder"] == TINY
    assert found["sources"] == {"labelled": 10, "exemplars": 0, "simulated": 0}
    for threshold in (found["combined"]["threshold"], found["whole"]["threshold"]):
        assert (threshold["count"], threshold["asked"], threshold["confidence"]) == (10, 0.05, 0.95)
        assert threshold["rate"] == pytest.approx(0.2589, abs=1e-4)
    assert (found["match"]["count"], found["match"]["asked"]) == (5, 0.01)
    with Catalogue.reading(tmp_path / "data") as catalogue:
        kept = catalogue.calibration(1)
    assert json.loads(json.dumps({"number": 1, **kept.as_dict()})) == found


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        (("--false-alarm", 0.3), "at most 30% false alarms"),
        (("--false-alarm", 0.01), "1% cannot be promised from fewer than 299"),
        (("--false-alarm", 0.001), "0.1% cannot be promised from fewer than 2995"),
        (("--false-match", 0.5), "at most 50% false matches"),
        (("--false-match", 0.001), "0.1% cannot be promised from fewer than 2995"),
    ],
)
def test_other_rates_may_be_asked_for(labels, tmp_path, rates, said):
    printed, _ = run("calibrate", "--yes", labels(10), *rates, "--data", tmp_path / "data")
    assert said in squeezed(printed)


@pytest.mark.parametrize("rate", [("--false-alarm", 0), ("--false-match", 0.6), ("--false-alarm", "none")])
def test_a_rate_that_is_none_is_refused(tmp_path, rate):
    _, beside = run("calibrate", "--yes", *rate, "--data", tmp_path / "data", code=2)
    assert rate[0] in beside


def calibration(**changed: object) -> Calibration:
    values = np.linspace(0.1, 0.5, 70)
    measured = CalibratedDistance(upper_bound(values, 0.05), tuple(values.tolist()))
    sources = {"labelled": 70, "exemplars": 0, "simulated": 0}
    found = Calibration("2026-05-04", TINY, 3, 80, sources, 0, lower_bound(values, 0.05), measured, measured)
    return replace(found, **({"number": 4} | changed))


def test_copies_and_ratios_are_named():
    ratio = LikelihoodRatio(1.0, -3.0, 70, 12, 0.4321, 0.2)
    lines = calibration_lines(calibration(copies=25, combined=replace(calibration().combined, ratio=ratio)))
    assert lines[:2] == [
        "calibration 4 of 2026-05-04, at 95% confidence",
        "  on 70 labelled photographs, 25 photographs of copies",
    ]
    assert squeezed(" ".join(lines[-2:])) == (
        "likelihood ratios from 70 objects, and copies of 12; on objects left out they cost 0.432 bits "
        "(Cllr: 0 is perfect, 1 says nothing), 0.200 at best"
    )
    assert not any("likelihood" in line for line in calibration_lines(calibration()))


def test_a_threshold_that_could_not_be_set_is_said_to_be_none():
    nothing = CalibratedDistance(Threshold(None, 1.0, 0, 0.95, 0.05), ())
    lines = calibration_lines(calibration(combined=nothing))
    assert lines[3] == "  combined  none: there are no objects compared"
    assert "at most 5% false alarms" in lines[4]


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"labelled": 0, "exemplars": 2, "simulated": 68}, "2 other exemplars, 68 simulated re-photographs"),
        ({"labelled": 0, "exemplars": 0, "simulated": 70}, "70 simulated re-photographs"),
    ],
)
def test_photographs_of_the_catalogue_itself_are_said_to_be_no_labelled_ones(sources, said):
    lines = calibration_lines(calibration(sources=sources))
    assert lines[:2] == [
        "calibration 4 of 2026-05-04, at 95% confidence",
        f"  on {said}: the catalogue's own, none labelled",
    ]


def in_conditions(*pools: tuple[str, ...], **counts: int) -> Calibration:
    measured = CalibratedDistance(Threshold(0.4567, 0.05, 63, 0.95), (0.1, 0.2))
    return calibration(conditions=counts, classes=tuple(ConditionClass(pool, measured) for pool in pools))


def test_each_condition_is_named_with_its_objects_and_its_threshold():
    lines = calibration_lines(in_conditions(("small",), ("surrounded", "close"), small=63, surrounded=3, close=60))
    at = next(number for number, line in enumerate(lines) if line.startswith("  combined")) + 1
    assert [line.strip() for line in lines[at : at + 3]] == [
        "by condition, with objects photographed so; under 59 are pooled:",
        "small (63): 0.457, from 63",
        "surrounded (3) + close (60): 0.457, from 63",
    ]
    assert lines[at + 3].startswith("  global") and max(map(len, lines)) <= 80


def test_conditions_that_are_all_pooled_have_no_threshold_of_their_own():
    lines = calibration_lines(in_conditions(("small", "surrounded", "close"), small=3, surrounded=30, close=2))
    assert "small (3) + surrounded (30) + close (2): together" in [line.strip() for line in lines]
    assert not any("by condition" in line for line in calibration_lines(calibration()))


# For real


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """A catalogue of five paintings in `data`, and photographs of each in `photos`, labelled in `labels.csv`."""
    root = tmp_path_factory.mktemp("museum")
    write_paintings(root / "works", 5)
    (root / "photos").mkdir()
    rows = ["photo,object_id,label"]
    for number in range(3):
        rephotograph(painting(number), seed=number).save(root / "photos" / f"{number}.jpg", quality=92)
        rows.append(f"{number}.jpg,{number:02},1")
    (root / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    (root / "photos" / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    more = [f"../works/{number:02}.png,{number:02},1" for number in range(5)]
    more += ["broken.jpg,01,1"]
    (root / "photos" / "more.csv").write_text("\n".join([*rows, *more]), encoding="utf-8")
    run("index", root / "works", "--data", root / "data")
    return root


@pytest.fixture
def world(museum, tmp_path) -> Path:
    """The museum with a data folder of its own."""
    shutil.copytree(museum / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture(scope="module")
def calibrated(museum, tmp_path_factory) -> tuple[Path, str, str]:
    """A data folder that was calibrated twice, by labels and without; and what was printed each time."""
    data = tmp_path_factory.mktemp("calibrated") / "data"
    shutil.copytree(museum / "data", data)
    first, beside = run("calibrate", "--yes", museum / "photos" / "labels.csv", "--data", data)
    assert "left out" not in beside
    return data, first, run("calibrate", "--yes", "--format", "json", "--data", data)[0]


def asked(museum: Path, data: Path) -> tuple[int | None, str]:
    """Query a photograph of the first work; return the number of the calibration, and the reasons."""
    found = json.loads(run("query", museum / "photos" / "0.jpg", "--format", "json", "--data", data)[0])
    (work,) = found["works"]
    assert work["matches"][0]["object_id"] == "00"
    return found["calibration"], squeezed("; ".join(work["reasons"]))


def test_before_the_first_calibration_status_says_so(museum):
    assert "no calibration; `artifact calibrate`" in run("status", "--data", museum / "data")[0]


def test_a_calibration_is_stored_beside_the_earlier_ones(calibrated):
    data, first, second = calibrated
    assert first.startswith("calibration 1 of") and "on 3 labelled photographs" in first
    assert json.loads(second)["number"] == 2
    assert json.loads(second)["sources"] == {"labelled": 0, "exemplars": 0, "simulated": 5}
    status = json.loads(run("status", "--format", "json", "--data", data)[0])
    assert [(item["number"], item["sources"]["labelled"]) for item in status["calibrations"]] == [(2, 0), (1, 3)]
    assert status["calibrations"][0] == json.loads(second)
    printed, _ = run("status", "--data", data)
    assert "calibration 2 of" in printed and "5 simulated re-photographs" in printed and "out of date" not in printed


def test_a_verdict_names_the_last_calibration_and_what_it_promises(museum, calibrated):
    number, reasons = asked(museum, calibrated[0])
    assert number == 2
    assert "calibration 2 of" in reasons and "with 95% confidence: at most 45.1% false alarms from 5 objects" in reasons
    assert "out of 5 simulated re-photographs" in reasons and "p-value" in reasons
    assert "provisional" not in reasons and "out of date" not in reasons
    assert "condition of the photograph: " in reasons and "; one threshold with " in reasons
    printed, _ = run("query", museum / "photos" / "0.jpg", "--data", calibrated[0])
    assert "calibration 2 of" in squeezed(printed)


@pytest.mark.slow
def test_a_catalogue_that_has_grown_by_more_than_a_fifth_is_to_be_calibrated_again(museum, calibrated, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(calibrated[0], data)
    (tmp_path / "more").mkdir()
    painting(5).save(tmp_path / "more" / "05.png")
    run("index", tmp_path / "more", "--data", data)  # a fifth, and no more than that
    assert "out of date" not in asked(museum, data)[1] + run("status", "--data", data)[0]
    painting(6).save(tmp_path / "more" / "06.png")
    run("index", tmp_path / "more", "--data", data)
    said = "calibration out of date: the catalogue had 5 objects then and has 7 now"
    number, reasons = asked(museum, data)
    assert number == 2 and said in reasons and "calibration 2 of" in reasons
    assert f"{said}; run `artifact calibrate` again" in squeezed(run("status", "--data", data)[0])
    run("calibrate", "--yes", museum / "photos" / "labels.csv", "--data", data)
    number, reasons = asked(museum, data)
    assert number == 3 and "out of date" not in reasons and "3 labelled photographs" in reasons


@pytest.mark.slow
def test_a_calibration_that_no_longer_fits_is_said_wherever_photographs_are_judged(museum, calibrated, tmp_path):
    """Reviewers hold a dozen flags to be genuine, each farther than the one before."""
    said, data, inbox = "calibration no longer fits your photographs", tmp_path / "data", tmp_path / "inbox"
    shutil.copytree(calibrated[0], data)
    inbox.mkdir()
    shutil.copy(museum / "photos" / "0.jpg", inbox)
    number, reasons = asked(museum, data)
    assert number == 2 and said not in reasons and said not in run("status", "--data", data)[0]
    with VerdictLog.opened(data) as log:
        (entry, *_) = log.entries()
        more = [
            replace(entry, sha256=f"s{n}", object_id=f"o{n}", outcome="divergent", combined=1 + n / 100, threshold=0.9)
            for n in range(12)
        ]
        numbers = log.add(more)
    for one in numbers:
        arguments = ("--overrule", "consistent", "--name", "J. Doe", "--reason", "seen", "--data", data)
        printed, _ = run("review", one, *arguments)
    whole = squeezed(printed)
    assert f"{said}: 12 of 13 genuine ones lie beyond their threshold (evidence " in whole
    assert "calibrate again: artifact review --export labels.csv, artifact calibrate labels.csv" in whole
    assert said in squeezed(run("status", "--data", data)[0]) and said in squeezed(run("review", "--data", data)[0])
    assert said in json.loads(run("status", "--format", "json", "--data", data)[0])["misfit"]
    assert said in run("screen", inbox, "--data", data)[1] and f"{said}; calibrate again on" in asked(museum, data)[1]
    run("calibrate", "--yes", "--data", data)
    assert said not in run("status", "--data", data)[0] and said not in asked(museum, data)[1]


def test_what_was_left_out_is_said_and_told_by_the_exit_code(museum, world):
    printed, beside = run("calibrate", "--yes", museum / "photos" / "more.csv", "--data", world / "data", code=3)
    assert "3 labelled photographs" in printed
    lines = beside.splitlines()
    assert lines[-7] == "6 left out:" and "broken.jpg: damaged" in lines[-1]
    for number, line in enumerate(lines[-6:-1]):
        assert line.endswith(f"/{number:02}.png: it is the only exemplar of {number:02} itself")
    with Catalogue.reading(world / "data") as catalogue:
        assert catalogue.calibration().number == 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["0.jpg,nobody,1"], "There is no genuine photograph of an object of this catalogue"),
        (["0.jpg,00,2"], "label '2' is neither 1 (genuine) nor 0 (forgery)"),
        (["0.jpg,00,0"], "object 00 has forgeries but no genuine photograph"),
    ],
)
def test_labels_that_are_of_no_use_are_one_line_and_nothing_is_stored(museum, world, rows, said):
    table = museum / "photos" / "useless.csv"
    table.write_text("\n".join(["photo,object_id,label", *rows]), encoding="utf-8")
    result = runner.invoke(app, ["calibrate", str(table), "--data", str(world / "data")])
    assert result.exit_code == 1 and result.stdout == ""
    assert said in result.stderr and len(result.stderr.splitlines()) == 1
    with Catalogue.reading(world / "data") as catalogue:
        assert catalogue.calibrations() == []


def test_without_a_catalogue_there_is_nothing_to_calibrate(tmp_path):
    result = runner.invoke(app, ["calibrate", "--data", str(tmp_path / "nowhere")])
    assert result.exit_code == 1 and "artifact index FOLDER" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_handful_is_calibrated_from_only_where_somebody_says_so(labels, tmp_path, monkeypatch):
    source, data = labels(3), tmp_path / "data"
    refused = runner.invoke(app, ["calibrate", str(source), "--data", str(data)])
    assert refused.exit_code == 1 and len(refused.stderr.splitlines()) == 1
    assert "3 objects can promise at most 63.2% false alarms" in refused.stderr and "--yes" in refused.stderr
    monkeypatch.setattr("cli.runs.calibrate.sys", SimpleNamespace(stdin=Terminal(), stderr=Terminal()))
    declined = runner.invoke(app, ["calibrate", str(source), "--data", str(data)], input="n\n")
    assert declined.exit_code == 1 and "not calibrated; nothing has changed" in declined.stderr
    with Catalogue.reading(data) as catalogue:
        assert catalogue.calibrations() == []
    agreed = runner.invoke(app, ["calibrate", str(source), "--data", str(data)], input="y\n")
    assert agreed.exit_code == 0 and "Calibrate all the same?" in agreed.stderr
    with Catalogue.reading(data) as catalogue:
        assert dict(catalogue.calibration().photographs) == {f"{number}.jpg": f"o{number}" for number in range(3)}


def test_twenty_objects_are_no_handful(labels, tmp_path):
    assert run("calibrate", labels(20), "--data", tmp_path / "data")[0].startswith("calibration 1")


class Terminal:
    def isatty(self) -> bool:
        return True
