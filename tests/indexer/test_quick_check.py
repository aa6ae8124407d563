"""`check --quick`: counts, derived files and some exemplars; nothing is mended, and a writer is in nobody's way."""

import json
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.runs.inspect import WRONG
from indexer.building.check import CheckReport, check_catalogue
from indexer.building.quick_check import check_quickly
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.photo_pages import photo_pages, some_photos
from retrieval.catalogue.pictures import compared_path, picture_path
from retrieval.catalogue.segments import vectors_path, votes_path
from retrieval.errors import CatalogueMissing
from retrieval.photographs.files import sha256_of
from tests.conftest import DIM, SIDE, data_files, index, make_folder, write_picture


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    folder = make_folder(tmp_path / "photos", {f"{n}.png": n for n in range(20)})
    index(folder, data)
    return folder


def test_a_sound_catalogue_agrees_also_while_somebody_writes(folder, data):
    before = data_files(data)
    assert check_quickly(data) == CheckReport(20, (), (), looked_at=20)
    assert check_quickly(data, some=7) == CheckReport(20, (), (), looked_at=7)
    with Catalogue.writing(data):
        assert check_quickly(data).wrong == ()
    assert {name: held for name, held in data_files(data).items() if "db" not in name} == {
        name: held for name, held in before.items() if "db" not in name
    }


def test_what_is_derived_is_named_where_it_is_missing_and_nothing_is_mended(folder, data):
    vectors, votes = vectors_path(data, 1), votes_path(data, 1)
    vectors.write_bytes(vectors.read_bytes()[:-1])
    votes.unlink()
    with Catalogue.writing(data) as catalogue, catalogue.db.atomic():
        catalogue.db.execute("DELETE FROM thresholds")
    for _ in range(2):
        assert check_quickly(data).wrong == (
            "the thresholds of this revision are missing; `artifact check --full` sets them, or says what hinders",
            "vectors or votes are missing, damaged or not complete; `artifact check --full` makes them again",
        )
    assert len(check_catalogue(data).repaired) == 2 and check_quickly(data).wrong == ()


def test_exemplars_are_compared_as_a_whole_check_does(folder, data):
    (folder / "3.png").unlink()
    write_picture(folder / "4.png", 99)
    hashes = {number: sha256_of(folder / f"{number}.png") for number in (5, 6, 7, 8)}
    picture_path(data, hashes[5]).unlink()
    exact = compared_path(data, hashes[6], SIDE)
    exact.write_bytes(exact.read_bytes()[:-1])
    with Catalogue.writing(data) as catalogue, catalogue.db.atomic():
        catalogue.db.execute("UPDATE vectors SET vector = ? WHERE sha256 = ?", [b"\0" * 4 * DIM, hashes[7]])
        catalogue.db.execute("UPDATE features SET features = ? WHERE sha256 = ?", [b"x", hashes[8]])
    found = check_quickly(data).wrong
    assert len(found) == 6 and sorted(found) == sorted(check_catalogue(data).wrong) and exact.exists() is False


def test_a_folder_that_is_away_is_one_line(folder, data):
    folder.rename(folder.with_name("moved"))
    assert check_quickly(data).wrong == (
        f"the folder {folder} is not there now; if it has moved: `artifact move {folder} NEW`",
    )


def test_there_must_be_a_catalogue(tmp_path, data):
    with pytest.raises(CatalogueMissing):
        check_quickly(tmp_path)
    with Catalogue.writing(data):
        pass
    with pytest.raises(CatalogueMissing, match="is empty"):
        check_quickly(data)


def test_pages_hold_every_exemplar_once_in_order_and_chance_takes_different_ones(folder, data):
    with Catalogue.reading(data) as catalogue:
        photos = catalogue.photos()
        pages = list(photo_pages(catalogue, size=6))
        assert [photo for page in pages for photo in page] == photos and [len(page) for page in pages] == [6, 6, 6, 2]
        taken = [some_photos(catalogue, 8, chance=Random(seed)) for seed in range(30)]
        assert all(len(set(some)) == 8 for some in taken) and {photo for some in taken for photo in some} == {*photos}
        assert sorted(some_photos(catalogue, 20, chance=Random(1)), key=photos.index) == photos


def test_no_check_asks_for_all_photographs_at_once(folder, data, monkeypatch):
    monkeypatch.setattr(Catalogue, "photos", None)
    assert check_quickly(data).wrong == ()


def test_the_command_says_how_much_it_looked_at_and_caps_only_what_people_read(folder, data, monkeypatch):
    def said(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["check", "--data", str(data), *arguments])
        assert result.exit_code == code, result.stderr
        return result.stdout

    assert said("--quick") == (
        "20 photographs agree with their vectors, features, pictures and files; --full compares all\n"
    )
    assert said("--full") == said() == "20 photographs, their vectors, files and FAISS index agree\n"
    assert json.loads(said("--quick", "-f", "json")) == {"photos": 20, "repaired": [], "wrong": [], "looked_at": 20}
    lines = tuple(f"line {number}" for number in range(WRONG + 3))
    monkeypatch.setattr("indexer.building.quick_check.check_quickly", lambda data: CheckReport(9, (), lines, 9))
    printed = said("--quick", code=1).splitlines()
    assert printed[0] == "wrong: line 0" and len(printed) == WRONG + 1
    assert printed[-1] == "  ... and 3 more; `artifact check --format json` has all"
    assert len(json.loads(said("--quick", "-f", "json", code=1))["wrong"]) == WRONG + 3
