"""Every verdict is kept with all that it rests on, and can be made again."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest
from PIL import Image

from cli.records.recorder import recording
from cli.runs.verdicts import write_report
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.status_words import Status
from retrieval.comparing.divergence import shipped_threshold
from retrieval.comparing.network import comparison_name
from retrieval.encoder.encoder import load_encoder
from retrieval.errors import CatalogueDamaged, CatalogueMissing, UnknownVerdict
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import compare, judge_all
from retrieval.statistics.calibration import CalibratedDistance, Calibration, Threshold
from retrieval.verdicts.entry import LogEntry, entries_of
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.replay import Replay, replay
from tests.conftest import index
from tests.pictures import WALL, painting, write_paintings


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """A catalogue of five paintings in `data`, and photographs of two of them."""
    root = tmp_path_factory.mktemp("museum")
    write_paintings(root / "works", 5)
    for number in (1, 2):
        rephotograph(painting(number), seed=number).save(root / f"{number}.jpg", quality=92)
    (root / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root


@pytest.fixture
def place(museum, tmp_path) -> Path:
    """A copy of it that a test may change."""
    shutil.copytree(museum, tmp_path / "museum")
    return tmp_path / "museum"


@pytest.fixture
def edition(place) -> Edition:
    return open_edition(place / "data", parallel=2)


def kept(place: Path, edition: Edition, name: str, asked: str | None = None) -> LogEntry:
    """Judge a photograph, keep the verdict, and return it as it is read again."""
    photo = place / name
    if asked is None:
        (verdict,) = judge_all(edition, [photo], k=3)
    else:
        verdict = compare(edition, photo, asked)
    with VerdictLog.opened(edition.data) as log:
        (number,) = log.add(entries_of(verdict, edition, asked=asked))
        return log.entry(number)


def again(item: LogEntry, data: Path) -> Replay:
    return replay(item, open_edition(data, parallel=1), max_megapixels=100)


def calibrated(edition: Edition, combined: float) -> Calibration:
    limit = Threshold(combined, 0.05, 60, 0.95)
    return Calibration(
        date="2026-01-01T00:00:00+00:00",
        encoder=edition.measured_by,
        revision=edition.revision,
        objects=len(edition.exemplars),
        sources={"labelled": 60, "exemplars": 0, "simulated": 0},
        copies=0,
        match=Threshold(0.6, 0.05, 60, 0.95),
        combined=CalibratedDistance(limit, (0.1, 0.2)),
        whole=CalibratedDistance(replace(limit, value=0.7), (0.3, 0.4)),
    )


def test_a_verdict_is_kept_whole_and_not_rounded(place, edition):
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=3)
    (work,) = verdict.works
    item = kept(place, edition, "1.jpg")
    match = work.matches[0]
    assert (item.whole, item.local) == (match.distance, match.divergence.local_distance)
    assert (item.combined, item.threshold) == (
        match.divergence.combined_distance,
        shipped_threshold(),
    )
    assert (item.outcome, item.object_id, item.exemplar) == ("consistent", "01", str(match.exemplar))
    assert item.reasons == work.decision.reasons and item.region == work.region
    assert (item.encoder, item.revision, item.calibration) == (edition.encoder.fingerprint, edition.revision, None)
    assert item.photo == str(place / "1.jpg") and item.sha256 == verdict.sha256


def test_verdicts_are_numbered_and_listed_from_the_last_and_by_outcome_and_photo(place, edition):
    numbers = [kept(place, edition, name).number for name in ("1.jpg", "2.jpg", "broken.jpg")]
    assert numbers == [1, 2, 3]
    with VerdictLog.reading(edition.data) as log:
        assert [item.number for item in log.entries()] == [3, 2, 1]
        assert [item.number for item in log.entries(limit=2)] == [3, 2]
        assert [item.number for item in log.entries(outcome="unreadable")] == [3]
        assert [item.number for item in log.entries(outcome="consistent", photo="2.jp")] == [2]
        assert log.entries(photo="%") == []  # a text, not a pattern


def test_an_unreadable_photograph_is_recorded_as_such(place, edition):
    item = kept(place, edition, "broken.jpg")
    assert (item.outcome, item.object_id, item.whole, item.region) == ("unreadable", None, None, None)
    assert len(item.reasons) == 1 and item.sha256 is not None


@pytest.mark.parametrize("asked", [None, "01", "03"])
def test_a_verdict_made_again_is_the_same_bit_for_bit(place, edition, asked):
    found = again(kept(place, edition, "1.jpg", asked), edition.data)
    assert found.identical and found.holds and found.largest == 0.0 and found.remarks == ()


def test_a_verdict_is_made_again_as_closely_as_it_was_looked_at(place, edition):
    usual, closely = (kept(place, replace(edition, closely=asked), "1.jpg") for asked in (False, True))
    assert [usual.comparison, closely.comparison] == [
        comparison_name(closely=False),
        comparison_name(closely=True),
    ]
    assert usual.combined != closely.combined
    assert any("looked at closely" in reason or "to look closely" in reason for reason in closely.reasons)
    found = again(closely, edition.data)
    assert found.identical and found.remarks == ()


def test_each_work_of_a_wall_is_made_again_the_same_bit_for_bit(place, edition):
    wall = Image.new("RGB", (1240, 560), WALL)
    for number, left in ((1, 60), (3, 660)):
        wall.paste(rephotograph(painting(number), seed=number).resize((520, 400)), (left, 80))
    wall.save(place / "wall.png")
    (verdict,) = judge_all(edition, [place / "wall.png"], k=3, several=True)
    with VerdictLog.opened(edition.data) as log:
        numbers = log.add(entries_of(verdict, edition))
        entries = [log.entry(number) for number in numbers]
    assert [entry.object_id for entry in entries] == ["01", "03"]
    for entry in entries:
        found = again(entry, edition.data)
        assert found.identical and found.now.region == entry.region


def test_what_another_comparison_measured_is_said(place, edition):
    item = kept(place, edition, "1.jpg")
    name = comparison_name(closely=False)
    for then, said in ((None, "an earlier comparison"), ("0123", "the comparison 0123")):
        assert again(replace(item, comparison=then), edition.data).remarks == (
            f"compared by {said} then, by {name} now",
        )


def test_a_calibration_counts_for_the_look_that_it_was_made_with(edition):
    usual = replace(edition, calibration=calibrated(edition, 0.4))
    assert usual.basis.calibration is not None and usual.basis.out_of_date is None
    other = replace(usual, closely=True).basis
    assert other.calibration is None and other.out_of_date is not None


@pytest.mark.slow
def test_what_holds_only_nearly_is_told_from_what_holds_and_from_what_does_not(place, edition):
    item = kept(place, edition, "1.jpg")
    near = again(replace(item, local=item.local + 5e-4), edition.data)
    assert near.holds and not near.identical and near.largest == pytest.approx(5e-4)
    assert not again(replace(item, combined=item.combined + 2e-3), edition.data).holds
    assert not again(replace(item, outcome="divergent"), edition.data).holds
    assert not again(replace(item, object_id="02"), edition.data).holds
    lacking = again(replace(item, local=None), edition.data)
    assert lacking.largest is None and not lacking.holds


@pytest.mark.slow
def test_an_old_verdict_is_made_again_with_the_calibration_of_then(place, edition):
    with Catalogue.writing(edition.data) as catalogue:
        first = catalogue.add_calibration(calibrated(edition, 0.9))
    item = kept(place, open_edition(edition.data), "1.jpg")
    assert (item.calibration, item.threshold, item.outcome) == (first.number, 0.9, "consistent")
    assert item.p_value == pytest.approx(1.0 if item.combined <= 0.1 else 2 / 3 if item.combined <= 0.2 else 1 / 3)
    with Catalogue.writing(edition.data) as catalogue:
        catalogue.add_calibration(calibrated(edition, 1e-6))
    assert again(item, edition.data).identical
    later = kept(place, open_edition(edition.data), "1.jpg")
    assert (later.calibration, later.outcome) == (2, "divergent")


@pytest.mark.slow
def test_a_changed_catalogue_is_remarked_and_a_changed_photograph_refused(place, edition):
    item = kept(place, edition, "1.jpg")
    painting(77).save(place / "works" / "77.png")
    index(place / "works", edition.data, encoder=load_encoder(parallel=2))
    found = again(item, edition.data)
    assert found.holds and "revision 1 then, 2 now" in found.remarks[0]
    Image.open(place / "2.jpg").save(place / "1.jpg", quality=80)
    with pytest.raises(UnknownVerdict, match="no longer the same file"):
        again(item, edition.data)
    (place / "1.jpg").unlink()
    with pytest.raises(UnknownVerdict, match="cannot be made again"):
        again(item, edition.data)


def test_a_verdict_of_another_encoder_is_refused(place, edition):
    with pytest.raises(UnknownVerdict, match="do not compare"):
        again(replace(kept(place, edition, "1.jpg"), encoder="another"), edition.data)


def test_an_unknown_number_and_a_missing_or_foreign_log_are_said(place, edition):
    with pytest.raises(CatalogueMissing, match="No verdict is recorded"), VerdictLog.reading(edition.data):
        pass
    kept(place, edition, "1.jpg")
    with VerdictLog.reading(edition.data) as log, pytest.raises(UnknownVerdict, match="No verdict 99"):
        log.entry(99)
    with VerdictLog.reading(edition.data) as log, pytest.raises(UnknownVerdict):
        log.entry(10**30)  # SQLite holds none so large
    with VerdictLog.reading(edition.data) as log:
        assert len(log.entries(limit=10**30)) == 1
    (edition.data / DATABASE).write_bytes(b"no database" * 100)
    with pytest.raises(CatalogueDamaged), VerdictLog.reading(edition.data):
        pass


def test_the_record_of_a_verdict_lacks_nothing_that_the_table_has(edition, place):
    kept(place, edition, "1.jpg")
    connection = sqlite3.connect(edition.data / DATABASE)
    columns = {row[1] for row in connection.execute("PRAGMA table_info(verdicts)")}
    connection.close()
    assert {"global" if name == "whole" else name for name in LogEntry.__slots__} == columns


def artifact(*arguments: str, data: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "cli.main", *arguments, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_the_commands_record_list_show_and_replay(place):
    data = place / "data"
    told = artifact("query", str(place / "1.jpg"), data=data)
    assert told.returncode == 0 and "recorded as verdict 1" in told.stderr
    screened = artifact("screen", str(place), "--format", "jsonl", data=data)
    records = [json.loads(line) for line in screened.stdout.splitlines()]
    numbers = {number for found in records for number in found["verdicts"]}
    numbers |= {said["verdict"] for found in records for said in found["together"]}
    assert len(numbers) >= len(records) and sorted(numbers) == list(range(2, 2 + len(numbers)))
    listed = json.loads(artifact("verdicts", "--format", "json", "-n", "100", data=data).stdout)
    assert [item["number"] for item in listed] == list(range(1 + len(numbers), 0, -1))
    assert listed[-1]["global"] > 0 and "whole" not in listed[-1]
    shown = artifact("verdict", "1", "--replay", data=data)
    assert shown.returncode == 0 and "it holds, bit for bit" in shown.stdout
    as_json = json.loads(artifact("verdict", "1", "--replay", "--format", "json", data=data).stdout)
    assert as_json["replay"]["identical"] and as_json["replay"]["now"]["global"] == as_json["global"]


def test_the_page_of_evidence_of_a_recorded_verdict_is_made_again(edition, place, tmp_path):
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=1)
    with VerdictLog.opened(edition.data) as log:
        (number,) = log.add(entries_of(verdict, edition, lot={"lot": "17", "title": "A Harbour"}))
    judging = SimpleNamespace(open_edition=lambda *_, **__: edition, max_megapixels=100.0)
    write_report(number, edition.data, tmp_path / "evidence.html", judging=judging)
    page = (tmp_path / "evidence.html").read_text("utf-8")
    assert "<bdi>lot 17, A Harbour</bdi>" in page and f"<dt>Verdict</dt><dd>{number}</dd>" in page
    assert f"combined distance {verdict.works[0].matches[0].decisive:.3f}" in page
    with pytest.raises(UnknownVerdict, match="1000"):
        write_report(1000, edition.data, tmp_path / "none.html", judging=judging)
    assert not (tmp_path / "none.html").exists()


@pytest.mark.slow
def test_a_verdict_that_no_longer_holds_exits_with_1(place):
    data = place / "data"
    artifact("query", str(place / "1.jpg"), data=data)
    connection = sqlite3.connect(data / DATABASE)
    connection.execute("UPDATE verdicts SET outcome = 'no-match'")
    connection.commit()
    connection.close()
    told = artifact("verdict", "1", "--replay", data=data)
    assert told.returncode == 1 and "it no longer holds; now consistent, 01" in told.stdout


def test_where_nothing_can_be_recorded_that_is_said_once(edition, place, monkeypatch, capsys):
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with recording(edition) as recorder:
        assert recorder.keep(verdict) == recorder.keep(verdict, asked="01") == []
        assert recorder.earlier(verdict, before="9999") == []
    assert capsys.readouterr().err == f"not recorded: {edition.data} cannot be written\n"
    assert not (edition.data / DATABASE).exists()


def test_the_lot_and_the_alert_are_kept_and_read_again(edition, place):
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=1)
    (work,) = verdict.works
    alarming = replace(work, alert=Status.STOLEN)
    lot = {"lot": "17", "house": "Étude «Ö»", "url": '=HYPERLINK("x")\nA'}
    with VerdictLog.opened(edition.data) as log:
        (plain,) = log.add(entries_of(verdict, edition))
        (number,) = log.add(entries_of(replace(verdict, works=(alarming,)), edition, lot=MappingProxyType(lot)))
        assert (log.entry(plain).lot, log.entry(plain).alert) == (None, None)
        item = log.entry(number)
    assert (item.lot, item.alert, item.outcome) == (lot, "stolen", "consistent")
    assert item.to_json()["lot"] == lot and item.to_json()["alert"] == "stolen"


def test_what_was_kept_since_a_moment_is_not_kept_twice(edition, place):
    (one, other) = judge_all(edition, [place / "1.jpg", place / "2.jpg"], k=1)
    lot, once = {"lot": "1"}, "2000-01-01T00:00:00+00:00"
    entries = entries_of(one, edition, lot=lot)
    with VerdictLog.opened(edition.data) as log:
        numbers = log.add(entries, since=once)
        assert log.add(entries, since=once) == numbers
        new = [
            log.add(entries_of(one, edition, lot={"lot": "2"}), since=once),
            log.add(entries_of(one, edition, lot=lot, asked="01"), since=once),
            log.add(entries_of(other, edition, lot=lot), since=once),
            log.add(entries_of(replace(one, sha256="0" * 64), edition, lot=lot), since=once),
            log.add(entries_of(replace(one, works=one.works * 2), edition, lot=lot), since=once),
            log.add(entries, since="9999-01-01T00:00:00+00:00"),
            log.add(entries),
        ]
        assert len({number for found in [numbers, *new] for number in found}) == 1 + len(new) + 1


def test_many_may_keep_verdicts_at_the_same_time(edition, place):
    """Each in its turn: one that had read first would find the log changed, and be refused at once."""
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=1)

    def keep(_: int) -> list[int]:
        with VerdictLog.opened(edition.data) as log:
            return [number for _ in range(60) for number in log.add(entries_of(verdict, edition))]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for found in pool.map(keep, range(4)) for number in found]
    assert len(set(numbers)) == 240


def test_a_verdict_has_an_entry_for_each_work(edition, place):
    (verdict,) = judge_all(edition, [place / "1.jpg"], k=1)
    twice = replace(verdict, works=verdict.works * 2)
    assert len(entries_of(twice, edition)) == 2
