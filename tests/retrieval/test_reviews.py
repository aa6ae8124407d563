"""Reviews: what waits for a person, what is decided is only ever added, counted, and made into labels."""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlite_utils import Database
from typer.testing import CliRunner

from cli.main import app
from cli.records.review_words import review_lines
from indexer.inputs.labels import read_labels
from indexer.inputs.reviewed import as_csv, labels_of
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.encoder.encoder import load_encoder
from retrieval.errors import CatalogueBusy
from retrieval.judging.edition import open_edition
from retrieval.judging.judge import judge_all
from retrieval.outcome import Outcome
from retrieval.photographs.files import sha256_of
from retrieval.statistics.metrics import clopper_pearson
from retrieval.verdicts.entry import entries_of
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.migrations import VERDICTS
from retrieval.verdicts.reviews import (
    BadReview,
    ReviewFigures,
    Share,
    accepting,
    add_review,
    decides,
    figures,
    overruling,
    review_of,
    reviewed,
    reviews,
)
from retrieval.verdicts.waiting import open_verdicts
from tests.conftest import index, make_folder, write_picture
from tests.logs import keep
from tests.pictures import painting, write_paintings

runner = CliRunner()


@pytest.fixture
def log(tmp_path) -> Iterator[VerdictLog]:
    """An empty log of verdicts, in `tmp_path`."""
    with VerdictLog.opened(tmp_path) as opened:
        yield opened


def unreadable(log: VerdictLog, photo: str | bytes) -> int:
    return keep(log, "unreadable", None, region=None, sha256=None, photo=photo)


def accept(log: VerdictLog, number: int) -> int:
    return add_review(log, accepting(log.entry(number), name="J. Doe", reason=""))


def overrule(log: VerdictLog, number: int, outcome: str, object_id: str | None = None, reason: str = "seen") -> int:
    review = overruling(log.entry(number), Outcome(outcome), object_id=object_id, name="J. Doe", reason=reason)
    return add_review(log, review)


def test_an_alert_of_another_sale_of_the_same_file_is_open_too_until_the_work_raises_none(log):
    june, july = ({"photo": f"/{sale}/1.jpg", "lot": json.dumps({"sale": sale})} for sale in ("june", "july"))
    keep(log, "consistent", alert="stolen", **june)
    numbers = [keep(log, "consistent", alert="stolen", **lot) for lot in (june, july)]
    assert open_verdicts(log) == numbers[::-1]
    keep(log, "consistent", **july)
    assert open_verdicts(log) == []


def test_open_are_alerts_and_what_is_divergent_inconclusive_on_an_object_or_unreadable(log):
    for number, outcome in enumerate(("divergent", "consistent", "no-match", "inconclusive")):
        keep(log, outcome, sha256=f"s{number}")
    keep(log, "inconclusive", None, sha256="s5")
    keep(log, "consistent", sha256="s6", alert="stolen")
    unreadable(log, "/lots/7.jpg")
    unreadable(log, b"/lots/\xff.jpg")
    assert open_verdicts(log) == [6, 8, 7, 4, 1], "alerts come first"


def test_only_the_last_verdict_of_a_work_is_open(log):
    keep(log)
    last = keep(log)
    other_object, other_region, other_photo = (
        keep(log, object_id="B"),
        keep(log, region="[1, 1, 2, 2]"),
        keep(log, sha256="s2"),
    )
    assert open_verdicts(log) == [other_photo, other_region, other_object, last]
    keep(log, "consistent")
    assert open_verdicts(log) == [other_photo, other_region, other_object]


def test_what_was_reviewed_is_open_again_only_when_something_else_is_said(log):
    first, file = keep(log), unreadable(log, b"/lots/\xff.jpg")
    accept(log, first)
    accept(log, file)
    assert open_verdicts(log) == []
    keep(log, photo="/elsewhere/same.jpg")
    unreadable(log, b"/lots/\xff.jpg")
    assert open_verdicts(log) == []
    other_file, alert = unreadable(log, b"/lots/\xfe.jpg"), keep(log, alert="stolen")
    assert open_verdicts(log) == [alert, other_file]


def test_a_photograph_and_an_object_that_are_decided_on_are_not_asked_about_again(log):
    first = keep(log, "inconclusive")
    accept(log, first)
    second = keep(log, "divergent", region="[1, 1, 2, 2]")
    assert open_verdicts(log) == [second], "that it was inconclusive decides nothing"
    overrule(log, second, "consistent")
    keep(log, "divergent", photo="/elsewhere/same.jpg")
    assert open_verdicts(log) == []
    stolen, other_page, other_object = (
        keep(log, "divergent", alert="stolen"),
        keep(log, picture=2),
        keep(log, object_id="B"),
    )
    assert open_verdicts(log) == [stolen, other_object, other_page]
    accept(log, stolen)
    keep(log, "divergent", alert="stolen", alert_object="A")
    assert open_verdicts(log) == [other_object, other_page], "the same alert"
    double = keep(log, "divergent", alert="stolen", alert_object="C")
    assert open_verdicts(log) == [double, other_object, other_page], "of another object"


def test_claims_that_are_not_upheld_or_name_nothing_are_open(log):
    lot = '{"lot": "7", "claim": "A"}'
    keep(log, "consistent", asked="A", lot=lot)
    keep(log, "no-match", object_id="B", asked="B")  # asked by hand
    other = keep(log, "no-match", object_id="C", asked="C", lot=lot)
    nothing = keep(log, "inconclusive", None, asked="Rembrandt", lot=lot)
    also = keep(log, "inconclusive", None, asked="Hals", lot=lot)
    assert open_verdicts(log) == [also, nothing, other]
    accept(log, nothing)
    assert open_verdicts(log) == [also, other]


def test_the_last_review_of_a_photograph_and_an_object_is_known_and_what_it_settles(log):
    number = keep(log, "divergent")
    assert review_of(log, "s1", None, "A") is None
    accept(log, number)
    overrule(log, number, "consistent")
    found = review_of(log, "s1", None, "A")
    assert found is not None and (found.review.verdict, found.review.outcome) == (number, "consistent")
    assert decides(found, "divergent", None) and decides(found, "inconclusive", None)
    assert not decides(found, "divergent", "stolen"), "the register says something else since"
    assert [review_of(log, *other) for other in (("s2", None, "A"), ("s1", 2, "A"), ("s1", None, "B"))] == [None] * 3
    poor = keep(log, "inconclusive", sha256="s3")
    accept(log, poor)
    undecided = review_of(log, "s3", None, "A")
    assert decides(undecided, "inconclusive", None) and not decides(undecided, "divergent", None)


LOT = '{"lot": "7"}'


def keep_lot(log: VerdictLog, *photos: str, **more: object) -> tuple[list[int], int]:
    """Record a divergent verdict on each of several photographs, and one on all; return their numbers."""
    return (single := [keep(log, sha256=photo, lot=LOT) for photo in photos]), keep_whole(log, single, **more)


def keep_whole(log: VerdictLog, single: list[int], outcome: str = "consistent", **more: object) -> int:
    contents = " ".join(sorted(str(log.entry(number).sha256) for number in single))
    row = {"sha256": contents, "region": None, "asked": "A", "lot": LOT, "together": json.dumps(single)}
    return keep(log, outcome, **row | more)


@pytest.mark.parametrize("outcome", ["consistent", "divergent"])
def test_a_lot_that_was_decided_on_does_not_wait_again_nor_do_its_photographs(log, outcome):
    _, whole = keep_lot(log, "s1", "s2", outcome=outcome)
    assert open_verdicts(log) == [whole] and review_of(log, "s1", None, "A") is None
    accept(log, whole)
    keep_lot(log, "s1", "s2", outcome=outcome)
    assert open_verdicts(log) == []
    found = review_of(log, "s1", None, "A")
    assert found is not None and found.review.verdict == whole and decides(found, "divergent", None)
    assert not decides(found, "divergent", "stolen")
    assert [review_of(log, *other) for other in (("s3", None, "A"), ("s1", 2, "A"), ("s1", None, "B"))] == [None] * 3


def test_a_consistent_folder_decides_on_none_of_its_photographs(log):
    single, whole = keep_lot(log, "s1", "s2", lot=None)
    assert open_verdicts(log) == single[::-1]
    accept(log, whole)
    assert review_of(log, "s1", None, "A") is None
    _, other = keep_lot(log, "s3", "s4", lot=None, outcome="divergent")
    assert open_verdicts(log) == [other, *single[::-1]]


def test_a_lot_that_grows_waits_as_one(log):
    single, first = keep_lot(log, "s1", "s2", outcome="divergent")
    assert open_verdicts(log) == [first]
    more = [*single, keep(log, sha256="s3", lot=LOT)]
    second = keep_whole(log, more, "divergent")
    last = keep_whole(log, [*more, keep(log, sha256="s4", lot=LOT)])
    assert second < last and open_verdicts(log) == [last]
    accept(log, last)
    assert open_verdicts(log) == []


def test_what_is_open_is_that_of_a_plain_loop(log):
    draw = np.random.default_rng(5)
    for _ in range(300):
        values = {
            "sha256": str(draw.integers(8)),
            "region": draw.choice(["[1]", "[2]"]),
            "alert": draw.choice([None, "stolen"], p=[0.9, 0.1]),
        }
        outcome = draw.choice(["divergent", "consistent", "no-match", "inconclusive"])
        number = keep(log, outcome, draw.choice(["A", "B", None]), **values)
        if draw.random() < 0.2:
            accept(log, number)
    last, done = {}, {review.verdict for review in reviews(log)}
    everything = {item.number: item for item in log.entries()}

    def pair(item, *more):
        return (item.sha256, item.object_id, item.alert, *more)

    known = {pair(everything[number], everything[number].outcome) for number in done}
    known |= {pair(everything[number]) for number in done if everything[number].outcome != "inconclusive"}
    for number, item in sorted(everything.items()):
        last[item.sha256, item.region, item.object_id] = number
    expected = [
        number
        for number in sorted(last.values(), key=lambda number: (everything[number].alert is None, -number))
        for item in [everything[number]]
        if (item.outcome == "divergent" or item.alert or (item.outcome == "inconclusive" and item.object_id))
        and pair(item) not in known
        and pair(item, item.outcome) not in known
    ]
    assert len(expected) > 3 and open_verdicts(log) == expected


@pytest.mark.parametrize(
    ("outcome", "held"),
    [("divergent", "A"), ("consistent", "A"), ("inconclusive", "A"), ("no-match", None)],
)
def test_to_accept_holds_what_the_verdict_says(log, outcome, held):
    review = accepting(log.entry(keep(log, outcome)), name=" J. Doe ", reason=" brush ")
    assert (review.decision, review.outcome, review.object_id) == ("accept", outcome, held)
    assert (review.verdict, review.name, review.reason) == (1, "J. Doe", "brush")


@pytest.mark.parametrize(
    ("said", "outcome", "object_id", "held"),
    [
        ("divergent", "consistent", None, "A"),
        ("divergent", "consistent", "B", "B"),
        ("divergent", "divergent", "B", "B"),
        ("divergent", "no-match", None, None),
        ("divergent", "inconclusive", None, "A"),
        ("no-match", "consistent", "A", "A"),
        ("unreadable", "divergent", "B", "B"),
        ("no-match", "inconclusive", None, None),
    ],
)
def test_to_overrule_holds_another_outcome_or_object(log, said, outcome, object_id, held):
    verdict = log.entry(keep(log, said))
    review = overruling(verdict, Outcome(outcome), object_id=object_id, name="J. Doe", reason="x")
    assert (review.decision, review.outcome, review.object_id) == ("overrule", outcome, held)


@pytest.mark.parametrize(
    ("said", "outcome", "object_id", "message"),
    [
        ("divergent", "divergent", None, "says that already"),
        ("divergent", "divergent", "A", "says that already"),
        ("no-match", "no-match", None, "says that already"),
        ("no-match", "divergent", None, "name the object"),
        ("unreadable", "consistent", None, "name the object"),
        ("divergent", "no-match", "B", "leave --object out"),
    ],
)
def test_what_contradicts_itself_or_says_too_little_is_refused(log, said, outcome, object_id, message):
    verdict = log.entry(keep(log, said))
    with pytest.raises(BadReview, match=message):
        overruling(verdict, Outcome(outcome), object_id=object_id, name="J. Doe", reason="x")


def test_a_name_is_needed_and_to_overrule_a_reason(log):
    verdict = log.entry(keep(log))
    with pytest.raises(BadReview, match="--name"):
        accepting(verdict, name=" ", reason="x")
    with pytest.raises(BadReview, match="--reason"):
        overruling(verdict, Outcome.CONSISTENT, object_id=None, name="J. Doe", reason=" ")


def test_reviews_are_added_and_none_is_ever_changed(log):
    number, other = keep(log), keep(log, sha256="s2")
    assert [overrule(log, number, "consistent"), accept(log, other), accept(log, number)] == [1, 2, 3]
    assert [(item.number, item.decision, item.outcome) for item in reviews(log, number)] == [
        (1, "overrule", "consistent"),
        (3, "accept", "divergent"),
    ]
    assert [item.number for item in reviews(log)] == [1, 2, 3]
    for change in ("UPDATE reviews SET outcome = 'divergent'", "DELETE FROM reviews WHERE number = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            log.db.conn.execute(change)


def test_figures_count_each_verdict_once_by_its_last_review(log):
    verdicts = [keep(log, outcome, sha256=str(n)) for n, outcome in enumerate(6 * ["divergent"] + 4 * ["consistent"])]
    unknown, poor, broken = (
        keep(log, "no-match", sha256="n"),
        keep(log, "inconclusive", sha256="p"),
        unreadable(log, "x"),
    )
    for number in verdicts[:6]:
        overrule(log, number, "no-match")
    for number in verdicts[:4]:
        accept(log, number)
    overrule(log, verdicts[4], "consistent")
    overrule(log, verdicts[6], "divergent")
    overrule(log, unknown, "divergent", "B")
    overrule(log, poor, "divergent")
    accept(log, verdicts[7])
    accept(log, broken)
    found = figures(reviewed(log))
    assert found == ReviewFigures(accepted=Share(5, 10), false_alarms=Share(1, 6), misses=Share(2, 3))
    assert found.misses.interval == clopper_pearson(2, 3)
    low, high = clopper_pearson(1, 6)
    assert found.false_alarms.as_dict() == {"count": 1, "of": 6, "share": 1 / 6, "low": low, "high": high}


def test_where_nothing_was_reviewed_there_is_no_share():
    found = figures([])
    assert found.misses == Share(0, 0) and found.misses.interval is None
    assert found.accepted.as_dict() == {"count": 0, "of": 0, "share": None, "low": None, "high": None}


def test_a_log_of_the_first_version_that_cannot_be_written_has_no_reviews(tmp_path, monkeypatch):
    old = Database(sqlite3.connect(tmp_path / DATABASE))
    VERDICTS.apply(old, stop_before="002_lots_and_reviews")
    old.close()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with VerdictLog.reading(tmp_path) as log:
        assert reviews(log) == [] and figures(reviewed(log)).accepted.of == 0
        with pytest.raises(CatalogueBusy, match="earlier version"):
            open_verdicts(log)
    assert review_lines(tmp_path) == []


# -- labels


@pytest.fixture
def desk(tmp_path) -> Path:
    """A catalogue of the objects A to D in `data`, and photographs of lots beside it."""
    make_folder(tmp_path / "works", {"A.png": 1, "B.png": 2, "C.png": 3, "D.png": 4})
    index(tmp_path / "works", tmp_path / "data")
    make_folder(tmp_path / "lots", {f"{number}.png": 10 + number for number in range(9)})
    return tmp_path


def lot(desk: Path, log: VerdictLog, name: str, outcome: str = "divergent", object_id: str = "A", **more) -> int:
    photo = desk / "lots" / name
    return keep(log, outcome, object_id, photo=str(photo), sha256=sha256_of(photo), **more)


def exported(desk: Path, log: VerdictLog):
    """Return the labels as they were found, and as they are read again."""
    with Catalogue.reading(desk / "data") as catalogue:
        found = labels_of(reviewed(log), catalogue)
    (desk / "labels.csv").write_text(as_csv(found), encoding="utf-8")
    read = read_labels(desk / "labels.csv")
    return found, [(photo.path.name, photo.object_id, photo.genuine) for photo in read.photos]


@pytest.fixture
def desk_log(desk) -> Iterator[VerdictLog]:
    with VerdictLog.opened(desk / "data") as opened:
        yield opened


def test_reviews_become_labels_that_are_read_as_they_were_meant(desk, desk_log):
    accept(desk_log, lot(desk, desk_log, "0.png"))
    overrule(desk_log, lot(desk, desk_log, "1.png"), "consistent")
    overrule(desk_log, lot(desk, desk_log, "2.png", "no-match"), "divergent", "B")
    accept(desk_log, lot(desk, desk_log, "3.png", "consistent", "B"))
    for number, outcome in ((4, "no-match"), (5, "no-match"), (6, "inconclusive")):
        accept(desk_log, lot(desk, desk_log, f"{number}.png", outcome))
    accept(desk_log, unreadable(desk_log, "/lots/broken.jpg"))
    lot(desk, desk_log, "7.png")  # not reviewed
    found, read = exported(desk, desk_log)
    assert read == [("0.png", "A", False), ("1.png", "A", True), ("2.png", "B", False), ("3.png", "B", True)]
    assert found.left_out == {"no-match": 2, "inconclusive": 1, "unreadable": 1} and found.exemplars == 0
    assert all(photo.path.is_absolute() for photo in found.photos)


def test_the_last_review_of_a_photograph_counts(desk, desk_log):
    first = lot(desk, desk_log, "0.png")
    overrule(desk_log, first, "consistent")
    accept(desk_log, first)
    accept(desk_log, lot(desk, desk_log, "1.png"))
    overrule(desk_log, lot(desk, desk_log, "1.png"), "consistent")
    accept(desk_log, lot(desk, desk_log, "2.png"))
    overrule(desk_log, lot(desk, desk_log, "2.png"), "no-match")
    found, read = exported(desk, desk_log)
    assert read == [("0.png", "A", False), ("1.png", "A", True)]
    assert found.left_out == {"no-match": 1}


def test_of_several_works_on_a_photograph_the_last_that_gives_a_label_stands_for_it(desk, desk_log):
    for object_id, outcome in (("A", "consistent"), ("B", "consistent"), ("C", "no-match")):
        accept(desk_log, lot(desk, desk_log, "0.png", outcome, object_id))
    found, read = exported(desk, desk_log)
    assert read == [("0.png", "B", True)]
    assert found.left_out == {"no-match": 1, "another work on the same photograph": 1}


def test_photographs_of_one_lot_are_of_one_group(desk, desk_log):
    sale = {"house": "Müller, Söhne", "sale": "12", "lot": "7", "url": "x"}
    for number, row in enumerate([sale, sale | {"url": "y"}, sale | {"lot": "8"}, {"sale": "12"}, None]):
        accept(desk_log, lot(desk, desk_log, f"{number}.png", "consistent", lot=json.dumps(row) if row else None))
    exported(desk, desk_log)
    groups = [photo.group for photo in read_labels(desk / "labels.csv").photos]
    assert groups == ["Müller, Söhne / 12 / 7", "Müller, Söhne / 12 / 7", "Müller, Söhne / 12 / 8", "", ""]


def test_an_object_with_nothing_but_forgeries_gets_its_exemplar(desk, desk_log):
    for name, object_id in (("0.png", "C"), ("1.png", "C"), ("2.png", "D"), ("3.png", "gone")):
        accept(desk_log, lot(desk, desk_log, name, object_id=object_id))
    (desk / "works" / "D.png").unlink()
    found, read = exported(desk, desk_log)
    assert read == [("0.png", "C", False), ("1.png", "C", False), ("C.png", "C", True)]
    assert found.exemplars == 1 and found.left_out == {"no exemplar of the object on disk": 2}


def test_a_photograph_that_is_gone_or_another_one_now_is_left_out(desk, desk_log):
    for name in ("0.png", "1.png", "2.png"):
        accept(desk_log, lot(desk, desk_log, name, "consistent"))
    (desk / "lots" / "0.png").unlink()
    write_picture(desk / "lots" / "1.png", 99)
    found, read = exported(desk, desk_log)
    assert read == [("2.png", "A", True)] and found.left_out == {"no longer the same file": 2}


def test_names_with_commas_quotes_and_new_lines_come_through_and_others_are_left_out(desk, desk_log):
    names = [
        'a,b;"c".png',
        "new\nline.png",
        "return\rhere.png",
        "=1+1.png",
        "\u202ertl.png",
        "end.png ",
        os.fsdecode(b"\xff.png"),
    ]
    for number, name in enumerate(names):
        (desk / "lots" / name).write_bytes((desk / "lots" / f"{number}.png").read_bytes())
        photo = str(desk / "lots" / name)
        stored = photo if number < 6 else os.fsencode(photo)
        accept(desk_log, keep(desk_log, "consistent", photo=stored, sha256=sha256_of(desk / "lots" / name)))
    found, read = exported(desk, desk_log)
    assert [name for name, _, _ in read] == names[:5]
    assert found.left_out == {"a file name that is no text": 1, "a file name that ends in a space": 1}


# -- the command


def run(desk: Path, *arguments: str, code: int = 0, env: dict[str, str] | None = None) -> str:
    result = runner.invoke(app, ["review", *arguments, "--data", str(desk / "data")], env=env)
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return " ".join(result.output.split())


def test_a_divergent_lot_is_no_claim_that_is_not_upheld(desk, desk_log):
    lot(desk, desk_log, "0.png", asked="A", lot='{"lot": "8"}', together="[2, 3]")
    assert "1 divergent A lot 8" in run(desk)


def test_the_command_lists_what_is_open_and_what_is_decided_leaves_the_list(desk, desk_log):
    for name in ("0.png", "1.png", "2.png"):
        lot(desk, desk_log, name, combined=0.7654)
    lot(desk, desk_log, "3.png", "consistent", alert="stolen", lot='{"lot": "7"}')
    listed = run(desk)
    assert "4 STOLEN A lot 7; lots/3.png; 2026-01-02" in listed
    assert "claim not upheld" not in listed
    assert "3 divergent combined 0.765 A lots/2.png; 2026-01-02" in listed
    assert listed.endswith("4 open")
    assert run(desk, "-n", "1").endswith("4 open; the first 1 are shown, --all shows all")
    assert run(desk, "-n", "1", "--all").endswith("4 open") and "0.png" in run(desk, "-n", "1", "--all")
    (first, *_) = json.loads(run(desk, "--format", "json"))
    assert (first["number"], first["alert"], first["lot"]) == (4, "stolen", {"lot": "7"})
    said = run(desk, "3", "--accept", "--name", "J. Doe")
    assert said == "review 1: verdict 3, divergent, accepted, A, by J. Doe"
    said = run(desk, "2", "--overrule", "consistent", "--object", "B", "--reason", "x", env={"ARTIFACT_REVIEWER": "K"})
    assert said == "review 2: verdict 2, divergent, overruled: consistent, B, by K"
    assert run(desk, "2", "--accept", "--name", "J. Doe").endswith("by J. Doe; 1 earlier, kept")
    assert [item["number"] for item in json.loads(run(desk, "-f", "json"))] == [4, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["99", "--accept", "--name", "x"], 1, "No verdict 99"),
        (["1", "--overrule", "consistent", "--object", "Z", "--name", "x", "--reason", "y"], 1, "Z"),
        (["1", "--accept"], 1, "ARTIFACT_REVIEWER"),
        (["1", "--overrule", "consistent", "--name", "x"], 1, "--reason"),
        (["1", "--accept", "--overrule", "consistent"], 2, "not both"),
        (["1"], 2, "--accept or --overrule"),
        (["--accept"], 2, "by its number"),
        (["1", "--accept", "--object", "A"], 2, "goes with --overrule"),
        (["1", "--accept", "--figures"], 2, "one at a time"),
        (["--export", "labels.csv", "--figures"], 2, "one at a time"),
        (["--export", "labels.csv"], 1, "no label in 0 reviews"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(desk, desk_log, monkeypatch, arguments, code, message):
    monkeypatch.delenv("ARTIFACT_REVIEWER", raising=False)
    monkeypatch.chdir(desk)
    lot(desk, desk_log, "0.png")
    assert message in run(desk, *arguments, code=code).replace("│ ", "")
    assert reviews(desk_log) == [] and not (desk / "labels.csv").exists()


def test_a_folder_that_cannot_be_written_takes_no_review(desk, desk_log, monkeypatch):
    lot(desk, desk_log, "0.png")
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert "the review could not be kept" in run(desk, "1", "--accept", "--name", "x", code=1)
    assert run(desk).endswith("1 open")


def test_the_export_takes_the_place_of_no_photograph(desk, desk_log):
    accept(desk_log, lot(desk, desk_log, "0.png", "consistent"))
    before = (desk / "lots" / "0.png").read_bytes()
    assert "one of the photographs" in run(desk, "--export", str(desk / "lots" / "0.png"), code=1)
    assert (desk / "lots" / "0.png").read_bytes() == before
    accept(desk_log, lot(desk, desk_log, "1.png", object_id="B"))
    accept(desk_log, lot(desk, desk_log, "2.png", "no-match"))
    said = run(desk, "--export", str(desk / "labels.csv"))
    piped = runner.invoke(app, ["review", "--export", "-", "--data", str(desk / "data")])
    assert piped.stdout_bytes == (desk / "labels.csv").read_bytes() and "3 labels" in piped.stderr
    assert "3 labels, 2 genuine and 1 of forgeries 1 of them the exemplar" in said and "left out: 1 no-match" in said
    assert read_labels(desk / "labels.csv").summary == "2 objects, 2 genuine photographs, 1 forgery"


def test_figures_are_said_with_intervals(desk, desk_log):
    assert review_lines(desk / "data") == [] and review_lines(desk / "none") == []
    assert "No verdict is reviewed yet" in run(desk, "--figures")
    for number in range(4):
        accept(desk_log, lot(desk, desk_log, f"{number}.png"))
    overrule(desk_log, lot(desk, desk_log, "4.png"), "consistent")
    low, high = clopper_pearson(4, 5)
    assert review_lines(desk / "data") == [
        f"5 verdicts reviewed, 4 accepted: 0.800 [{low:.3f}, {high:.3f}] at 95%.",
        "5 of them divergent, 1 false alarm found: 0.200 [0.005, 0.716] at 95%.",
        "0 of them consistent or no-match.",
        "Reviewers chose what they reviewed; it was not drawn at random.",
    ]
    assert run(desk, "--figures") == " ".join(review_lines(desk / "data"))
    as_json = json.loads(run(desk, "--figures", "--format", "json"))
    assert as_json["accepted"] == {"count": 4, "of": 5, "share": 0.8, "low": low, "high": high}
    assert as_json["misses"]["low"] is None


def test_a_verdict_is_shown_with_its_reviews_and_its_lot(desk, desk_log):
    number = lot(desk, desk_log, "0.png", alert="stolen", lot='{"lot": "7", "house": "M\u00fcller", "url": ""}')
    overrule(desk_log, number, "consistent", "B", reason="cleaned in 2019")
    accept(desk_log, number)
    result = runner.invoke(app, ["verdict", str(number), "--data", str(desk / "data")])
    shown = " ".join(result.output.split())
    said = f"ALERT, stolen: {desk / 'lots/0.png'} is consistent with a work registered as stolen, A verdict"
    assert shown.startswith(said) and "lot: lot 7; house M\u00fcller sha" not in shown
    assert "lot 7; house M\u00fcller" in shown and "url" not in shown
    assert "overruled by J. Doe: consistent, B cleaned in 2019 review 2 of" in shown
    assert "accepted by J. Doe" in shown
    result = runner.invoke(app, ["verdict", str(number), "--format", "json", "--data", str(desk / "data")])
    assert [item["outcome"] for item in json.loads(result.output)["reviews"]] == ["consistent", "divergent"]


@pytest.mark.slow
def test_calibrate_takes_what_was_exported(tmp_path):
    write_paintings(tmp_path / "works", 4)
    index(tmp_path / "works", tmp_path / "data", encoder=load_encoder(parallel=2))
    photos = [tmp_path / f"{number}.jpg" for number in range(4)]
    for number, photo in enumerate(photos):
        rephotograph(painting(number), seed=number).save(photo, quality=92)
    edition = open_edition(tmp_path / "data", parallel=2)
    with VerdictLog.opened(tmp_path / "data") as log:
        for verdict in judge_all(edition, photos, k=1):
            (number,) = log.add(entries_of(verdict, edition))
            if number < 4:
                accept(log, number)
            else:
                overrule(log, number, "divergent")
    run(tmp_path, "--export", str(tmp_path / "labels.csv"))
    result = runner.invoke(app, ["calibrate", str(tmp_path / "labels.csv"), "--yes", "--data", str(tmp_path / "data")])
    assert result.exit_code == 3 and "it is the only exemplar" in result.output  # that of the forgery's object
    with Catalogue.reading(tmp_path / "data") as catalogue:
        found = catalogue.calibration()
    assert found is not None and (found.sources["labelled"], found.copies) == (3, 1)


def test_the_last_review_of_a_verdict_is_taken_back_in_a_name_and_shown_all_the_same(desk, desk_log):
    number = lot(desk, desk_log, "0.png")
    accept(desk_log, number)
    overrule(desk_log, number, "consistent", reason="cleaned")
    assert "--name" in run(desk, str(number), "--undo", code=1, env={"ARTIFACT_REVIEWER": ""})
    said = run(desk, str(number), "--undo", "--name", "Bo", "--reason", "the wrong lot")
    assert said == f"review 2 taken back: verdict {number}, overruled: consistent by J. Doe; 1 earlier, kept"
    assert "accepted by J. Doe" in run(desk, str(number), "--undo", "--name", "Bo")
    assert run(desk).endswith("1 open")
    assert "no review that could be taken back" in run(desk, str(number), "--undo", "--name", "Bo", code=1)
    assert "decides nothing" in run(desk, str(number), "--undo", "--accept", "--name", "Bo", code=2)
    data = ["--data", str(desk / "data")]
    shown = " ".join(runner.invoke(app, ["verdict", str(number), *data]).output.split())
    assert "overruled by J. Doe: consistent, A cleaned taken back by Bo on" in shown and "the wrong lot" in shown
    as_json = json.loads(runner.invoke(app, ["verdict", str(number), "--format", "json", *data]).output)
    assert as_json["reviews"] == [] and [one["number"] for one in as_json["withdrawn"]] == [1, 2]
    assert as_json["withdrawn"][1]["withdrawal"]["reason"] == "the wrong lot"
