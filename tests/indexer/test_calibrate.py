"""Calibrating a catalogue: which photographs are measured, against what, and what is set on them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.inputs.labels import read_labels
from indexer.inputs.scan import SkippedItem
from indexer.measuring import calibrate as calibrating
from indexer.measuring.calibrate import NothingToCalibrate, calibrate, measure
from indexer.measuring.fitting import Case, Distances
from indexer.simulation.rephotograph import rephotograph
from retrieval.catalogue.pictures import read_exemplar
from retrieval.catalogue.rows import Photo
from retrieval.encoder.encoder import load_encoder
from retrieval.errors import UnreadableImage
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import compare
from retrieval.photographs.photograph import Photograph
from retrieval.statistics.calibration import Calibration, upper_bound
from tests.conftest import aged, index
from tests.pictures import painting

SINGLE, SEVERAL = ("0", "1", "2", "3"), ("4", "5")


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """A catalogue of six paintings in `data`, two with a second exemplar; more photographs of each in `photos`."""
    root = tmp_path_factory.mktemp("museum")
    (root / "photos").mkdir()
    for number in (*SINGLE, *SEVERAL):
        work = painting(int(number))
        if number in SEVERAL:
            (root / "works" / number).mkdir(parents=True)
            work.save(root / "works" / number / "a.png")
            rephotograph(work, seed=70 + int(number)).save(root / "works" / number / "b.png")
        else:
            (root / "works").mkdir(exist_ok=True)
            work.save(root / "works" / f"{number}.png")
        for name, seed in (("x", 10), ("y", 40)):
            rephotograph(work, seed=seed + int(number)).save(root / "photos" / f"{number}{name}.jpg", quality=92)
        rephotograph(painting(30 + int(number)), seed=90).save(root / "photos" / f"{number}copy.jpg", quality=92)
    (root / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    for file in root.rglob("*.png"):
        aged(file)
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root


@pytest.fixture(scope="module")
def edition(museum) -> Edition:
    return open_edition(museum / "data", parallel=2)


Known = dict[tuple[str, str], Distances | SkippedItem]


def remembering(known: Known, kept: list[Distances]) -> Callable[..., tuple[list[Distances], list[SkippedItem]]]:
    """Return a `measure` that measures each file, by its name, but once against each object."""

    def remembered(
        edition: Edition, cases: Sequence[Case], **options: Any
    ) -> tuple[list[Distances], list[SkippedItem]]:
        new = [case for case in cases if (case.path.name, case.object_id) not in known]
        names = {str(case.path): (case.path.name, case.object_id) for case in new}
        found, unread = measure(edition, new, **options)
        known.update({names[str(item.case.path)]: item for item in found} | {names[item.path]: item for item in unread})
        items = [(case, known[case.path.name, case.object_id]) for case in cases]
        found = [replace(item, case=case) for case, item in items if isinstance(item, Distances)]
        kept.extend(found)
        return found, [item for _, item in items if isinstance(item, SkippedItem)]

    return remembered


@pytest.fixture(scope="module")
def known() -> Known:
    """What was measured of a file, by its name, against an object."""
    return {}


@pytest.fixture(scope="module")
def own(edition, known) -> tuple[Calibration, tuple[SkippedItem, ...]]:
    """A calibration without labels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrating, "measure", remembering(known, []))
        return calibrate(edition, None, false_match=0.01, false_alarm=0.05)


@pytest.fixture(autouse=True)
def seen(known, monkeypatch) -> list[Distances]:
    """What this test calibrates on; each file is measured but once for all tests."""
    kept: list[Distances] = []
    monkeypatch.setattr(calibrating, "measure", remembering(known, kept))
    return kept


@pytest.fixture
def real(seen, monkeypatch) -> None:
    """Everything is measured, whatever was before."""
    monkeypatch.setattr(calibrating, "measure", measure)


def labelled(museum: Path, rows: Sequence[str], edition: Edition, **options: Any) -> tuple[Calibration, dict[str, str]]:
    """Calibrate on rows `photo,object_id,label[,group]`; return also what was left out, by the name of the file."""
    table = museum / "photos" / "labels.csv"
    table.write_text("\n".join(["photo,object_id,label,group", *rows]), encoding="utf-8")
    found, skipped = calibrate(edition, read_labels(table), **{"false_match": 0.01, "false_alarm": 0.05} | options)
    return found, {Path(item.path).name: item.reason for item in skipped}


def without_date(calibration: Calibration) -> Calibration:
    return replace(calibration, date="")


# Without labels


def test_other_exemplars_come_first_and_the_rest_is_simulated(own, edition):
    found, skipped = own
    assert found.sources == {"labelled": 0, "exemplars": 2, "simulated": 4} and skipped == ()
    assert (found.objects, found.copies, found.revision) == (6, 0, edition.revision)
    assert found.encoder == edition.measured_by and found.number is None
    assert len(found.whole.genuine) == 6 and found.whole.ratio is None and found.combined.ratio is None
    assert found.whole.threshold == upper_bound(np.array(found.whole.genuine), 0.05)
    assert found.whole.threshold.asked == 0.05 and found.match.asked == 0.01
    assert (found.whole.threshold.count, found.match.count) == (6, 3)


def test_no_exemplar_is_compared_with_itself(edition, seen):
    calibrate(edition, None, false_match=0.01, false_alarm=0.05)
    by_source = {source: [item for item in seen if item.case.source == source] for source in ("exemplars", "simulated")}
    assert sorted((item.case.object_id, item.case.path.name) for item in by_source["exemplars"]) == [
        ("4", "a.png"), ("4", "b.png"), ("5", "a.png"), ("5", "b.png"),
    ]  # fmt: skip
    assert sorted(item.case.object_id for item in by_source["simulated"]) == list(SINGLE)
    assert min(item.whole for item in seen) > 0.02
    for object_id in SEVERAL:
        hashes = [photo.sha256 for photo in edition.exemplars[object_id]]
        one, other = map(edition.finder.vectors.exact(hashes).__getitem__, hashes)
        there, back = (item.whole for item in by_source["exemplars"] if item.case.object_id == object_id)
        assert there == pytest.approx(back, abs=1e-5) == pytest.approx(float(np.linalg.norm(one - other)), abs=1e-5)


def test_the_same_catalogue_gives_the_same_thresholds_again(own, edition, real):
    again, _ = calibrate(edition, None, false_match=0.01, false_alarm=0.05)
    assert without_date(again) == without_date(own[0])


def test_no_more_is_simulated_than_the_rate_needs(edition, monkeypatch):
    """Twice the reciprocal of the rate is four objects: two have other exemplars."""
    monkeypatch.setattr(calibrating, "OBJECTS_AT_RATE", 2)
    found, _ = calibrate(edition, None, false_match=0.01, false_alarm=0.5)
    assert found.sources == {"labelled": 0, "exemplars": 2, "simulated": 2}
    monkeypatch.setattr(calibrating, "OBJECTS_AT_RATE", 0.5)
    found, _ = calibrate(edition, None, false_match=0.01, false_alarm=0.5)
    assert found.sources == {"labelled": 0, "exemplars": 2, "simulated": 0}


def test_an_exemplar_that_cannot_be_read_is_left_out_with_the_reason(own, edition, monkeypatch):
    def read(data: Path, photo: Photo, **options: Any) -> Photograph:
        if photo.file.name == "2.png":
            raise UnreadableImage("it is damaged")
        return read_exemplar(data, photo, **options)

    monkeypatch.setattr(calibrating, "read_exemplar", read)
    found, skipped = calibrate(edition, None, false_match=0.01, false_alarm=0.05)
    assert [(Path(item.path).name, item.reason) for item in skipped] == [("2.png", "it is damaged")]
    assert found.sources["simulated"] == 3
    assert set(found.whole.genuine) < set(own[0].whole.genuine)


def test_progress_counts_every_photograph(museum, edition, real):
    steps: list[tuple[int, int]] = []
    rows = ["0x.jpg,0,1", "broken.jpg,1,1", "../works/0.png,0,1", "1x.jpg,1,1"]
    labelled(museum, rows, edition, on_progress=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]


# With labels


def test_labelled_photographs_are_measured_as_comparisons_are(museum, edition, seen):
    rows = [f"{number}x.jpg,{number},1" for number in (*SINGLE, *SEVERAL)]
    found, skipped = labelled(museum, rows, edition)
    assert found.sources == {"labelled": 6, "exemplars": 0, "simulated": 0} and skipped == {}
    for item in seen:
        (match,) = (
            compare(edition, museum / "photos" / f"{item.case.object_id}x.jpg", item.case.object_id).works[0].matches
        )
        assert (item.whole, item.combined) == (match.distance, match.divergence.combined_distance)
    assert found.whole.genuine == tuple(sorted(item.whole for item in seen))
    assert found.combined.genuine == tuple(sorted(item.combined for item in seen))


def test_what_cannot_be_used_is_left_out_with_the_reason(museum, edition):
    rows = ["0x.jpg,0,1", "1x.jpg,1,1", "2x.jpg,nobody,1", "broken.jpg,3,1", "../works/3.png,3,1", "3x.jpg,3,1"]
    found, skipped = labelled(museum, rows, edition)
    assert len(found.whole.genuine) == 3
    assert skipped.pop("broken.jpg")
    assert skipped == {
        "2x.jpg": "object nobody is not in the catalogue",
        "3.png": "it is the only exemplar of 3 itself",
    }


def test_a_copy_of_the_file_of_the_only_exemplar_is_left_out_too(museum, edition):
    (museum / "photos" / "same.png").write_bytes((museum / "works" / "3.png").read_bytes())
    found, skipped = labelled(museum, ["0x.jpg,0,1", "same.png,3,1"], edition)
    assert len(found.whole.genuine) == 1
    assert "only exemplar of 3" in skipped["same.png"]


def test_an_exemplar_that_is_labelled_is_compared_with_the_other_exemplars(museum, edition, seen):
    found, skipped = labelled(museum, ["../works/4/a.png,4,1", "0x.jpg,0,1"], edition)
    assert skipped == {} and found.sources["labelled"] == 2
    (item,) = (item for item in seen if item.case.object_id == "4")
    assert item.whole > 0.02


def test_a_photograph_above_the_limit_is_left_out(museum, edition, real):
    painting(1, (200, 150)).save(museum / "photos" / "small.jpg")
    _, skipped = labelled(museum, ["0x.jpg,0,1", "small.jpg,1,1"], edition, max_megapixels=0.1)
    assert list(skipped) == ["0x.jpg"] and "more than the 0.1 allowed" in skipped["0x.jpg"]


def test_photographs_of_one_object_count_once(museum, edition):
    rows = ["0x.jpg,0,1", "0y.jpg,0,1", "1x.jpg,1,1", "1y.jpg,1,1", "2x.jpg,2,1"]
    found, _ = labelled(museum, rows, edition)
    assert found.sources["labelled"] == found.whole.threshold.count == found.combined.threshold.count == 3
    again, _ = labelled(museum, rows[::-1], edition)
    assert without_date(again) == without_date(found)


def test_photographs_of_one_group_count_once(museum, edition):
    rows = ["0x.jpg,0,1,film", "1x.jpg,1,1,film", "2x.jpg,2,1,", "2y.jpg,2,1,case", "3x.jpg,3,1,case", "4x.jpg,4,1,"]
    apart, _ = labelled(museum, [row.replace("film", "").replace("case", "") for row in rows], edition)
    tied, _ = labelled(museum, rows, edition)
    assert apart.sources["labelled"] == len(apart.whole.genuine) == 5
    assert tied.sources["labelled"] == len(tied.whole.genuine) == 3
    assert tied.whole.threshold.rate > apart.whole.threshold.rate
    assert set(tied.whole.genuine) < set(apart.whole.genuine)


def test_forgeries_give_no_genuine_distance(museum, edition):
    genuine = [f"{number}x.jpg,{number},1" for number in SINGLE]
    without, _ = labelled(museum, genuine, edition)
    found, skipped = labelled(museum, [*genuine, *(f"{number}copy.jpg,{number},0" for number in SINGLE)], edition)
    assert found.copies == 4 and without.copies == 0 and skipped == {}
    assert without.photographs.items() < found.photographs.items() and len(found.photographs) == 8
    assert without_date(replace(found, copies=0, photographs=without.photographs)) == without_date(without)


@pytest.mark.parametrize(
    "rows",
    [
        ["0x.jpg,nobody,1", "1x.jpg,another,1"],
        ["broken.jpg,0,1"],
        ["../works/0.png,0,1", "0copy.jpg,0,0"],
    ],
)
def test_without_any_genuine_photograph_there_is_nothing_to_calibrate(museum, edition, rows):
    with pytest.raises(NothingToCalibrate, match="no genuine photograph of an object of this catalogue"):
        labelled(museum, rows, edition)


def test_a_folder_of_photographs_is_labelled_by_its_names(museum, edition, tmp_path):
    for name in ("0/genuine.jpg", "1/genuine.jpg", "1/forgery.jpg", "nobody/genuine.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        photo = museum / "photos" / f"{name[0]}{'copy' if 'forgery' in name else 'x'}.jpg"
        (tmp_path / name).write_bytes((photo if photo.exists() else museum / "photos" / "5y.jpg").read_bytes())
    found, skipped = calibrate(edition, read_labels(tmp_path), false_match=0.01, false_alarm=0.05)
    assert (found.sources["labelled"], found.copies) == (2, 1)
    assert [item.reason for item in skipped] == ["object nobody is not in the catalogue"]
