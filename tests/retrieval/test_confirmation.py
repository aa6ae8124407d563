"""Objects that registration confirms go first; the others keep their order."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from retrieval.catalogue.catalogue import Catalogue
from retrieval.comparing.registration import NotRegistered, Registration
from retrieval.finding.confirmation import EXEMPLARS, NO_FEATURES, confirm
from retrieval.finding.match import Match
from retrieval.photographs.features import PROBE, Features, extract_features
from tests.conftest import described, exemplar
from tests.pictures import SIZE, VIEWS, painting, warped, write_paintings
from tests.retrieval.test_migrations import forget_step_003

BLANK = Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8), SIZE)
WORK = extract_features(painting(1), SIZE)
PHOTO = extract_features(warped(painting(1), *VIEWS["aslant"]), (560, 480), detail=PROBE)


class Store:
    """Features by content, and which were asked for."""

    def __init__(self, features: dict[str, Features]) -> None:
        self.features, self.asked = features, []

    def __call__(self, sha256s) -> dict[str, Features]:
        self.asked += list(sha256s)
        return {key: self.features[key] for key in self.asked if key in self.features}


def world(count: int, right: dict[int, Features]) -> tuple[list[Match], dict, Store]:
    """Return `count` objects, the nearest first, of which some have these features and the others none to speak of."""
    exemplars = {f"o{n}": [exemplar(f"o{n}", sha256=f"s{n}")] for n in range(count)}
    matches = [Match(f"o{n}", exemplars[f"o{n}"][0].file, 0.5 + n / 1000) for n in range(count)]
    return matches, exemplars, Store({f"s{n}": right.get(n, BLANK) for n in range(count)})


def names(matches: list[Match]) -> list[str]:
    return [match.object_id for match in matches]


@pytest.mark.parametrize("rank", [0, 3, 9])
def test_the_right_object_comes_first_from_whatever_rank(rank):
    matches, exemplars, store = world(10, {rank: WORK})
    found = confirm(matches, PHOTO, exemplars, store)
    assert names(found) == [f"o{rank}", *(f"o{n}" for n in range(10) if n != rank)]
    assert isinstance(found[0].registration, Registration)
    assert [match.distance for match in found] == [matches[int(match.object_id[1:])].distance for match in found]
    for match in found[1:]:
        assert match.registration == NotRegistered("only 0 matching points, 10 are needed")


def test_mirrored_photographs_are_thought_of():
    matches, exemplars, store = world(5, {2: WORK})
    best = confirm(matches, PHOTO.mirrored(), exemplars, store)[0]
    assert isinstance(best.registration, Registration)
    assert best.object_id == "o2" and best.registration.mirrored


def test_several_confirmed_objects_are_ordered_by_the_points_that_agree():
    half = Features(WORK.points[::3], WORK.descriptors[::3], WORK.size)
    matches, exemplars, store = world(8, {1: half, 4: WORK, 6: WORK})
    found = confirm(matches, PHOTO, exemplars, store)
    assert names(found) == ["o4", "o6", "o1", "o0", "o2", "o3", "o5", "o7"]
    assert found[1].registration.inliers > found[2].registration.inliers


def test_of_several_exemplars_the_one_that_agrees_most_is_shown():
    matches, exemplars, store = world(3, {})
    exemplars["o2"] += [exemplar("o2", path=f"o2/{n}.jpg", sha256=f"more{n}") for n in range(EXEMPLARS)]
    store.features["more1"] = WORK
    store.features[f"more{EXEMPLARS - 1}"] = WORK  # one too many
    found = confirm(matches, PHOTO, exemplars, store)
    assert found[0].object_id == "o2" and found[0].exemplar == exemplars["o2"][2].file
    assert found[0].distance == matches[2].distance
    assert f"more{EXEMPLARS - 1}" not in store.asked
    assert [match.exemplar for match in found[1:]] == [match.exemplar for match in matches[:2]]


def test_without_features_nothing_is_confirmed_and_why_is_said():
    matches, exemplars, _ = world(7, {})
    found = confirm(matches, PHOTO, exemplars, Store({}))
    assert found == [replace(match, registration=NO_FEATURES) for match in matches]
    assert confirm([], PHOTO, {}, Store({})) == []


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Path:
    """A catalogue of 20 paintings in `data`, and a photograph of one of them on a wall."""
    root = tmp_path_factory.mktemp("museum")
    write_paintings(root / "works", 20)
    warped(painting(7), *VIEWS["aslant"]).save(root / "photo.png")
    assert CliRunner().invoke(app, ["index", str(root / "works"), "--data", str(root / "data")]).exit_code == 0
    return root


def query(museum: Path, data: Path) -> dict:
    result = CliRunner().invoke(app, ["query", str(museum / "photo.png"), "--data", str(data), "--format", "json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["works"][0]


def test_a_query_says_how_the_exemplar_lies_on_the_photograph(museum):
    work = query(museum, museum / "data")
    best, second = work["matches"][:2]
    assert best["object_id"] == "07" and best["registration_reason"] is None
    found = best["registration"]
    assert set(found) == {"inliers", "overlap_exemplar", "overlap_probe", "homography", "mirrored"}
    assert np.allclose(found["homography"], VIEWS["aslant"][0] / VIEWS["aslant"][0][2, 2], rtol=0.05, atol=3)
    assert found["overlap_exemplar"] > 0.9 and found["mirrored"] is False
    assert second["registration"] is None and "10 are needed" in second["registration_reason"]
    assert work["outcome"] != "no-match"


@pytest.mark.slow
def test_a_catalogue_without_features_registers_nothing_and_says_what_to_do(museum, tmp_path):
    data = shutil.copytree(museum / "data", tmp_path / "data")
    forget_step_003(data)
    for match in query(museum, data)["matches"]:
        assert match["registration"] is None and "run `artifact index` again" in match["registration_reason"]
    assert CliRunner().invoke(app, ["index", str(museum / "works"), "--data", str(data)]).exit_code == 0
    assert query(museum, data) == query(museum, museum / "data")


def test_check_finds_damaged_features_and_the_next_index_run_mends_them(museum, tmp_path):
    data = shutil.copytree(museum / "data", tmp_path / "data")
    with Catalogue.writing(data) as found:
        found.db.execute("UPDATE features SET features = x'0102' WHERE rowid = 3")
        found.db.conn.commit()
    result = CliRunner().invoke(app, ["check", "--data", str(data)])
    assert result.exit_code == 1 and result.output.count("has no sound features; `artifact index") == 1
    assert CliRunner().invoke(app, ["index", str(museum / "works"), "--data", str(data)]).exit_code == 0
    result = CliRunner().invoke(app, ["check", "--data", str(data)])
    assert result.exit_code == 0, result.output


def test_features_go_with_their_object(museum, tmp_path):
    data = shutil.copytree(museum / "data", tmp_path / "data")
    assert CliRunner().invoke(app, ["remove", "07", "--data", str(data)]).exit_code == 0
    with Catalogue.reading(data) as found:
        assert len(described(found)) == 19 == len(found.photos())
    assert query(museum, data)["matches"][0]["registration"] is None
