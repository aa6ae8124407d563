"""Objects that raise an alarm are found, however many others are nearer or have more votes."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval.catalogue import alarms as module
from retrieval.catalogue.alarms import Alarms
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import content_keys, vectors_of
from retrieval.catalogue.exemplars import Held, OnlyOf, Present, photos_by_content
from retrieval.catalogue.index_making import make_index
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.vector_index import Vectors
from retrieval.catalogue.vote_index import Ballot
from retrieval.encoder.encoder import load_encoder
from retrieval.finding import finder as finding
from retrieval.finding import nearest as nearby
from retrieval.finding.match import Match
from retrieval.finding.nearest import nearest_alarming, nearest_objects
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import judge_all
from tests.conftest import DIM, TINY, content, exemplar, index, unit
from tests.pictures import hung, painting, write_paintings

COUNT, CROWD = 700, 30
RANDOM = np.random.default_rng(0)
NAMES = sorted(f"{RANDOM.integers(16**15):015x}{0:049x}" for _ in range(COUNT))
VECTORS = unit(RANDOM.standard_normal((COUNT, DIM)))
STATUSES = {"Stolen (2003)": 5, "vermisst": 11, "known forgery": 17, "in collection": 2, "not stolen": 3}
KINDS = ["Flat", "IVF8,SQ8", "IVF8,Flat", "IVF8,PQ8x4", "HNSW8", "HNSW8,SQ8"]


def status_of(number: int) -> str:
    return next((text for text, step in STATUSES.items() if number % step == 1), "")


@pytest.fixture
def filled(writable: Catalogue) -> Catalogue:
    """A catalogue in which every second object has two photographs, and many have a status."""
    rows = [exemplar(f"o{n - n % 4 // 3}", path=f"{n}.jpg", sha256=name) for n, name in enumerate(NAMES)]
    described = {row.object_id: {"status": text} for n, row in enumerate(rows) if (text := status_of(n))}
    writable.apply(Changes(put=rows, metadata=described))
    writable.add_vectors([(content(name), vector) for name, vector in zip(NAMES, VECTORS, strict=True)], TINY)
    return writable


def searched(catalogue: Catalogue, *kinds: str) -> Vectors:
    """Return the vectors of a catalogue, cut into as many indexes."""
    parts = []
    for rows in np.array_split(np.arange(COUNT), len(kinds)):
        keys, vectors = content_keys([NAMES[row] for row in rows]), VECTORS[rows]
        kind = kinds[len(parts)]
        made = make_index(kind, len(rows), DIM, lambda keys=keys, vectors=vectors: [(keys, vectors)])
        parts.append(made)
    return Vectors(tuple(parts), lambda hashes: vectors_of(catalogue, hashes))


def expected(catalogue: Catalogue, objects: Sequence[str], probe: np.ndarray, k: int) -> list[Match]:
    """Return what is found where nothing else is in the catalogue."""
    photos = [photo for object_id in objects for photo in catalogue.photos(object_id)]
    known = vectors_of(catalogue, [photo.sha256 for photo in photos])
    names = sorted(known)
    alone = Vectors.of(np.stack([known[name] for name in names]), names)
    contents = {content_key(name): [photo for photo in photos if photo.sha256 == name] for name in names}
    return nearest_objects(alone, contents, probe, k=k)


@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
@pytest.mark.parametrize("kinds", [*[(kind,) for kind in KINDS], ("IVF8,SQ8", "Flat")], ids="+".join)
def test_the_nearest_of_them_are_those_of_a_catalogue_of_nothing_else(filled, monkeypatch, kinds, few):
    if not few:
        monkeypatch.setattr(module, "FEW", 0)
    objects = alarming_objects(filled)
    vectors, photos = searched(filled, *kinds), photos_by_content(Present(filled))
    alarms = Alarms(objects, Present(filled), vectors)
    ids = [item.object_id for item in objects]
    assert 0 < len(ids) < COUNT / 3 and set(alarms.objects) == set(ids)
    hits = 0
    for probe in unit(RANDOM.standard_normal((20, DIM))):
        found = nearest_alarming([], alarms, photos, probe, k=3)
        wanted = expected(filled, ids, probe, 3)
        hits += len({match.object_id for match in found} & {match.object_id for match in wanted})
        if few or not any("IVF" in kind for kind in kinds):
            assert found == wanted
    assert hits >= 0.9 * 60


def test_what_is_near_anyway_is_not_searched_for(filled, monkeypatch):
    vectors, photos = searched(filled, "Flat"), photos_by_content(Present(filled))
    alarms = Alarms(alarming_objects(filled), Present(filled), vectors)
    probe = VECTORS[7]
    whole = nearest_objects(vectors, photos, probe, k=COUNT)
    found = nearest_alarming([], alarms, photos, probe, k=3)
    monkeypatch.setattr(nearby, "nearest_objects", lambda *_, **__: pytest.fail("it was searched for"))
    assert nearest_alarming(whole, alarms, photos, probe, k=3) == found
    assert nearest_alarming(whole, None, photos, probe, k=3) == []


def test_contents_are_looked_up_through_indexes_once_and_not_before_they_are_needed(filled):
    plan = "SELECT DISTINCT sha256 FROM photos WHERE object_id IN (?, ?)"
    steps = [row[3] for row in filled.db.execute(f"EXPLAIN QUERY PLAN {plan}", ["a", "b"])]
    assert any("USING INDEX" in step for step in steps) and not any(step.startswith("SCAN") for step in steps)
    asked: list[str] = []
    filled.db.conn.set_trace_callback(asked.append)
    alarms = Alarms(list(filled.objects(["o1", "o6"])), Present(filled), searched(filled, "Flat"))
    asked.clear()
    assert len(alarms.objects) == 2 and not asked
    assert len(alarms.vectors) == len(alarms.keys) == 3
    assert len([sql for sql in asked if "FROM photos" in sql]) == 1
    filled.db.conn.set_trace_callback(None)


def test_a_content_that_others_show_too_names_only_what_raises_an_alarm(filled):
    filled.apply(Changes(put=[exemplar("twin", path="twin.jpg", sha256=NAMES[1])]))
    photos = photos_by_content(Present(filled))
    alone = OnlyOf(photos, {"o1"})
    assert [photo.object_id for photo in photos[content_key(NAMES[1])]] == ["o1", "twin"]
    assert [photo.object_id for photo in alone[content_key(NAMES[1])]] == ["o1"]
    assert list(alone) == [content_key(NAMES[1])] and len(alone) == 1 and content_key(NAMES[2]) not in alone
    vectors = searched(filled, "Flat")
    alarms = Alarms(filled.objects(["o1"]), Present(filled), vectors)
    found = nearest_alarming([], alarms, photos, VECTORS[1], k=3)
    assert [(match.object_id, match.distance) for match in found] == [("o1", 0.0)]


def test_an_object_without_a_photograph_or_vector_does_no_harm(filled):
    filled.forget_vector(NAMES[1])
    alarms = Alarms(filled.objects(["o1"]), Present(filled), searched(filled, "Flat"))
    assert nearest_alarming([], alarms, photos_by_content(Present(filled)), VECTORS[1], k=3) == []
    assert not Alarms([], Present(filled), Vectors((), lambda hashes: {}))


# A painting that was stolen among many copies of it.


@pytest.fixture(scope="module")
def copies(tmp_path_factory) -> Path:
    """A catalogue of a few works, one of them small, and many that look more like a photograph of it than it does."""
    root = tmp_path_factory.mktemp("crowd")
    write_paintings(root / "works", 4)
    width, height = painting(2).size
    painting(2).resize((width // 2, height // 2)).save(root / "works" / "02.png")
    for number in range(CROWD):
        noise = np.random.default_rng(number).integers(-2, 3, (height, width, 3))
        noisy = np.clip(np.asarray(painting(2)) + noise, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(root / "works" / f"copy-{number:02}.png")
    painting(2).save(root / "photo.jpg", quality=95)
    hung([(painting(1), (60, 90, 520, 400)), (painting(2), (700, 90, 520, 400))]).save(root / "wall.jpg", quality=95)
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return root


@pytest.fixture
def crowd(copies, tmp_path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(copies, tmp_path / "crowd"))


def say(data: Path, status: str, *objects: str) -> None:
    with Catalogue.writing(data) as catalogue:
        thresholds = catalogue.thresholds()
        catalogue.apply(Changes(metadata={object_id: {"status": status} for object_id in objects}))
        catalogue.set_thresholds(thresholds)


def judged(edition: Edition, photo: Path, *, several: bool = False, k: int = 5) -> list[tuple]:
    """Return what is said of the works on a photograph."""
    (verdict,) = judge_all(edition, [photo], k=k, several=several)
    return [
        (work.region, work.decision, work.alert, work.entry, [(m.object_id, m.distance, m.registered is not None)
         for m in work.matches]) for work in verdict.works
    ]  # fmt: skip


def as_before(edition: Edition) -> Edition:
    return replace(edition, finder=replace(edition.finder, alarms=None))


@pytest.mark.parametrize("way", ["embedding", "votes", "read whole"])
def test_a_stolen_work_among_many_copies_raises_its_alert(crowd, monkeypatch, way):
    say(crowd / "data", "gestohlen 2011", "02")
    if way == "votes":
        monkeypatch.setattr(finding, "nearest_alarming", lambda *_, **__: [])
    if way == "embedding":
        monkeypatch.setattr(finding, "LEAST_VOTES", 1e-9)
        monkeypatch.setattr(finding.Finder, "_likely", lambda finder, voted: list(voted)[: finding.VOTED])
    if way == "read whole":
        monkeypatch.setattr(Held, "hinders_nobody", False)
    edition = open_edition(crowd / "data")
    for k in (1, 5):
        (before,) = judged(as_before(edition), crowd / "photo.jpg", k=k)
        (after,) = judged(edition, crowd / "photo.jpg", k=k)
        assert before[2] is None and "02" not in [name for name, *_ in before[4]]
        assert after[2] == "stolen" and after[3].object_id == "02"
        assert [match for match in after[4] if match[0] != "02"] == before[4], "nothing else is changed"
        assert ("02", True) in [(name, registered) for name, _, registered in after[4]]


@pytest.mark.parametrize("voted", [8, 1], ids=["found first", "found second"])
def test_one_of_several_works_on_a_wall_raises_it_too(crowd, monkeypatch, voted):
    monkeypatch.setattr(finding, "VOTED", voted)
    monkeypatch.setattr(finding, "NEAREST", 0)
    shown = judged(open_edition(crowd / "data"), crowd / "wall.jpg", several=True)
    registered = {name for *_, matches in shown for name, _, registered in matches if registered}
    hidden = next(f"copy-{number:02}" for number in range(CROWD) if f"copy-{number:02}" not in registered)
    say(crowd / "data", "stolen", hidden)
    edition = open_edition(crowd / "data")
    before, after = (judged(each, crowd / "wall.jpg", several=True) for each in (as_before(edition), edition))
    assert [alert for _, _, alert, *_ in before] == [None, None]
    assert sorted(str(alert) for _, _, alert, *_ in after) == ["None", "stolen"]


def test_votes_for_what_raises_an_alarm_count_behind_those_for_any_number_of_others(crowd):
    say(crowd / "data", "stolen", "00", "01", "02", "03")
    finder = open_edition(crowd / "data").finder
    order = [*(f"copy-{number:02}" for number in range(CROWD)), "03", "01", "02", "00"]
    keys = np.array([content_key(finder.exemplars[object_id][0].sha256) for object_id in order])
    votes = np.linspace(2, 0.08, len(order), dtype=np.float32)
    for ballot in (Ballot(np.arange(len(keys)), keys, votes), Ballot(np.arange(len(keys)), keys, votes / 2)):
        there = [
            object_id for object_id, weight in zip(order, ballot.weights, strict=True) if weight >= finding.LEAST_VOTES
        ]
        voted, found = finder._voted(ballot), 20
        assert list(voted) == [*there[:found], *there[CROWD:]]
        assert finder._likely(voted) == [*there[: finding.VOTED], *there[CROWD:][: finding.ALARMING]]
        assert list(replace(finder, alarms=None)._voted(ballot)) == there[:found]


@pytest.mark.slow
def test_what_is_not_on_the_photograph_takes_nobody_s_place(crowd):
    say(crowd / "data", "stolen", "00", "03")
    edition = open_edition(crowd / "data")
    for k in (1, 3, 5, 40):
        assert judged(edition, crowd / "photo.jpg", k=k) == judged(as_before(edition), crowd / "photo.jpg", k=k)


def test_without_a_status_all_is_as_ever_and_nothing_more_is_looked_up(crowd, monkeypatch):
    say(crowd / "data", "in collection", "00", "02")
    edition = open_edition(crowd / "data")
    assert edition.finder.alarms is None and edition.finder.without("0" * 64).alarms is None
    monkeypatch.setattr(Alarms, "__init__", lambda *_: pytest.fail("it was looked for"))
    assert [work[2] for work in judged(edition, crowd / "photo.jpg")] == [None]


def test_a_photograph_that_nothing_speaks_for_is_not_laid_over_what_is_stolen(crowd, monkeypatch):
    say(crowd / "data", "stolen", "02")
    edition = open_edition(crowd / "data")
    monkeypatch.setattr(finding, "PLAUSIBLE", 1e9)
    monkeypatch.setattr("retrieval.judging.look.Look._limit", lambda _: 0.0)
    monkeypatch.setattr(finding, "nearest_alarming", lambda *_, **__: pytest.fail("it was searched for"))
    ((*_, matches),) = judged(edition, crowd / "photo.jpg")
    assert not any(registered for *_, registered in matches)


def test_the_very_file_is_left_out_of_what_raises_an_alarm(crowd):
    say(crowd / "data", "stolen", "02")
    finder = open_edition(crowd / "data").finder
    (photo,) = finder.exemplars["02"]
    vector = np.asarray(finder.vectors.exact([photo.sha256])[photo.sha256])
    assert [match.object_id for match in finder._near(vector, []).alarming] == ["02"]
    assert finder.without(photo.sha256)._near(vector, []).alarming == []
