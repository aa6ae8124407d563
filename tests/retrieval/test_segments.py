"""Segments: what a run adds or takes away is written without the rest, and is always what the catalogue holds."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.catalogue import segment_writing, segmenting, segments
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of_keys
from retrieval.catalogue.database import lock
from retrieval.catalogue.index_choice import Searching, asked_kind, check_choice, choose
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.catalogue.segment_checks import unsound_segments
from retrieval.catalogue.segmenting import complete_segments, is_complete, open_segments, update_segments
from retrieval.catalogue.segments import (
    FileMark,
    Segment,
    joined,
    remove_strays,
    segments_of,
    stray_files,
    vectors_path,
    votes_path,
)
from retrieval.catalogue.store_leavings import remove_gone
from retrieval.errors import CatalogueBusy, UnknownIndex
from retrieval.photographs.features import Features
from tests.conftest import DIM, TINY, content, exemplar, held_vectors, unit

RANDOM = np.random.default_rng(0)
NAMES = [f"{n:02x}{RANDOM.integers(16**12):012x}{0:050x}" for n in range(60)]
VECTORS = dict(zip(NAMES, unit(RANDOM.standard_normal((60, DIM))), strict=True))
FEATURES = {
    name: Features(
        RANDOM.uniform(0, 90, (6, 2)).astype(np.float32), RANDOM.integers(256, size=(6, 128), dtype=np.uint8), (100, 90)
    )
    for name in NAMES[1:]  # the first has none
}
MARK = FileMark(1, 2)


@pytest.fixture
def filled(writable: Catalogue) -> Catalogue:
    writable.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
    writable.add_vectors([(content(name), VECTORS[name]) for name in NAMES], TINY)
    writable.add_features(FEATURES)
    return writable


@pytest.fixture
def small(monkeypatch) -> None:
    """Segments are small, so that some photographs make several."""
    monkeypatch.setattr(segments, "SMALL", 0)
    monkeypatch.setattr(segments, "RATIO", 2)
    monkeypatch.setattr("retrieval.catalogue.segment_contents.AT_ONCE", 7)
    monkeypatch.setattr(segmenting, "AT_ONCE", 7)


def put(catalogue: Catalogue, *numbers: int) -> None:
    rows = [exemplar(f"o{n}", path=f"{n}.jpg", sha256=NAMES[n]) for n in numbers]
    catalogue.apply(Changes(put=rows))
    update_segments(catalogue)


def take(catalogue: Catalogue, *numbers: int) -> None:
    ids = [photo.photo_id for n in numbers for photo in catalogue.photos(f"o{n}")]
    catalogue.apply(Changes(gone=[photo_id for photo_id in ids if photo_id is not None]))
    update_segments(catalogue)


def sizes(catalogue: Catalogue) -> list[int]:
    return [item.contents for item in segments_of(catalogue) or ()]


def voted(catalogue: Catalogue) -> dict[int, int]:
    """Return of how many features each content is voted for."""
    found: dict[int, int] = {}
    for lists in open_segments(catalogue).votes:
        for key, count in zip(lists.keys.tolist(), np.bincount(lists.rows, minlength=len(lists.keys)), strict=True):
            assert key not in found
            found[key] = int(count)
    return found


def left_behind(catalogue: Catalogue) -> set[str]:
    return {name for (name,) in catalogue.db.execute("SELECT sha256 FROM left_behind")}


def holds(catalogue: Catalogue) -> None:
    """Say that what is searched is what the catalogue holds, and what it left behind."""
    there = {photo.sha256 for photo in catalogue.photos()}
    gone = left_behind(catalogue)
    assert is_complete(catalogue) and not there & gone and list(unsound_segments(catalogue)) == []
    remove_gone(catalogue)
    wanted = {content_key(name): VECTORS[name].tobytes() for name in there | gone}
    assert held_vectors(catalogue) == wanted
    assert voted(catalogue) == {content_key(name): 6 if name in FEATURES else 0 for name in there | gone}
    remove_strays(catalogue.data, segments_of(catalogue) or ())
    files = [2 if item.vectors is not None else 1 for item in segments_of(catalogue) or ()]
    assert len(list(catalogue.data.rglob("v*-*"))) == sum(files)


def test_a_small_catalogue_is_one_segment_with_nothing_left_behind(filled):
    put(filled, *range(10))
    put(filled, 10, 11)
    take(filled, 3, 4)
    assert sizes(filled) == [10] and left_behind(filled) == set()
    holds(filled)


def test_what_a_run_adds_is_written_beside_the_rest(filled, small):
    put(filled, *range(40))
    (first,) = segments_of(filled) or ()
    put(filled, 40, 41)
    assert sizes(filled) == [40, 2] and segments_of(filled)[0] == first
    holds(filled)
    put(filled, 42)
    assert sizes(filled) == [40, 3], "small ones are brought together"
    put(filled, *range(43, 60))
    assert sizes(filled) == [60]
    holds(filled)


def test_what_is_taken_away_stays_in_its_segment_until_it_is_much(filled, small):
    put(filled, *range(50))
    (first,) = segments_of(filled) or ()
    take(filled, 0, 1, 2)
    assert left_behind(filled) == set(NAMES[:3]) and segments_of(filled) == (first,)
    holds(filled)
    put(filled, 1)
    assert left_behind(filled) == {NAMES[0], NAMES[2]} and segments_of(filled) == (first,), "it is there already"
    holds(filled)
    take(filled, *range(3, 20))
    assert sizes(filled) == [31] and left_behind(filled) == set()
    holds(filled)
    take(filled, 1, *range(20, 50))
    assert sizes(filled) == [] and segments_of(filled) == ()
    holds(filled)


def test_a_file_of_another_object_is_one_content(filled, small):
    put(filled, *range(20))
    filled.apply(Changes(put=[exemplar("twin", path="twin.jpg", sha256=NAMES[4])]))
    update_segments(filled)
    assert sizes(filled) == [20]
    take(filled, 4)
    assert left_behind(filled) == set()
    holds(filled)


def test_a_file_that_changed_is_another_content(filled, small):
    put(filled, *range(20))
    (photo,) = filled.photos("o5")
    filled.apply(Changes(put=[replace(photo, sha256=NAMES[30])]))
    update_segments(filled)
    assert sizes(filled) == [20, 1] and left_behind(filled) == {NAMES[5]}
    holds(filled)


def test_what_was_encoded_or_described_anew_is_written_again(filled, small):
    put(filled, *range(20))
    put(filled, *range(20, 24))
    filled.forget_vector(NAMES[2])
    filled.add_vectors([(content(NAMES[2]), VECTORS[NAMES[50]])], TINY)
    filled.forget_features(NAMES[3])
    assert not is_complete(filled)
    update_segments(filled)
    assert held_vectors(filled)[content_key(NAMES[2])] == VECTORS[NAMES[50]].tobytes()
    assert voted(filled)[content_key(NAMES[3])] == 0 and sum(sizes(filled)) == 24


def test_a_vector_that_is_gone_is_not_searched_and_one_that_comes_back_is(filled, small):
    put(filled, *range(20))
    filled.forget_vector(NAMES[2])
    update_segments(filled)
    assert left_behind(filled) == {NAMES[2]} and is_complete(filled)
    filled.add_vectors([(content(NAMES[2]), VECTORS[NAMES[2]])], TINY)
    update_segments(filled)
    holds(filled)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 59), max_size=25)), max_size=7))
@pytest.mark.parametrize("shards", [1, 16])
def test_whatever_comes_and_goes_what_is_searched_is_what_there_is(filled, small, shards, steps):
    choose(filled, Searching(shards=shards))
    take(filled, *range(60))
    for adds, numbers in steps:
        there = {int(item.object_id[1:]) for item in filled.objects()}
        (put if adds else take)(filled, *sorted(numbers - there if adds else numbers & there))
        holds(filled)


def test_readers_search_what_no_segment_holds_yet(filled, small):
    put(filled, *range(20))
    filled.apply(Changes(put=[exemplar("o30", path="30.jpg", sha256=NAMES[30])]))
    assert not is_complete(filled)
    assert set(held_vectors(filled)) == {content_key(NAMES[n]) for n in (*range(20), 30)}
    assert voted(filled)[content_key(NAMES[30])] == 6
    for path in filled.data.glob("v*-*"):
        path.unlink()
    assert set(held_vectors(filled)) == {content_key(NAMES[n]) for n in (*range(20), 30)}


@pytest.mark.parametrize("which", [vectors_path, votes_path])
@pytest.mark.parametrize("damage", [None, b"", b"no index", "foreign"])
def test_a_segment_whose_file_is_not_sound_is_written_again_and_no_other(filled, small, which, damage):
    put(filled, *range(20))
    put(filled, *range(20, 24))
    first, second = segments_of(filled) or ()
    path = which(filled.data, second.number)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(which(filled.data, first.number).read_bytes() if damage == "foreign" else damage)
    assert not is_complete(filled) and len(held_vectors(filled)) == 24
    update_segments(filled)
    assert first in (segments_of(filled) or ()) and sizes(filled) == [20, 4]
    holds(filled)


def test_what_a_reader_finds_incomplete_is_completed_unless_somebody_writes(filled, data, small):
    put(filled, *range(5))
    filled.apply(Changes(put=[exemplar("o30", path="30.jpg", sha256=NAMES[30])]))
    complete_segments(data)  # the fixture is a writer
    assert not is_complete(filled)


def test_a_reader_completes_what_a_killed_run_left(tmp_path):
    with Catalogue.writing(tmp_path / "data") as catalogue:
        catalogue.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
        catalogue.add_vectors([(content(NAMES[3]), VECTORS[NAMES[3]])], TINY)
        catalogue.apply(Changes(put=[exemplar("a", sha256=NAMES[3])]))
    (tmp_path / "data/vectors-9.part").write_bytes(b"x")
    with lock(tmp_path / "data"):
        complete_segments(tmp_path / "data")
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert segments_of(catalogue) is None
    complete_segments(tmp_path / "data")
    with Catalogue.reading(tmp_path / "data") as catalogue:
        assert is_complete(catalogue) and stray_files(catalogue.data, segments_of(catalogue)) == []


def test_what_was_left_behind_in_a_file_that_was_lost_is_new_when_it_comes_back(filled, small):
    put(filled, *range(50))
    take(filled, 3)
    (first,) = segments_of(filled)
    votes_path(filled.data, first.number).unlink()
    filled.apply(Changes(put=[exemplar("o51", path="51.jpg", sha256=NAMES[51])]))
    update_segments(filled)
    holds(filled)
    put(filled, 3)
    put(filled, 52)
    holds(filled)
    assert left_behind(filled) == set() and content_key(NAMES[3]) in held_vectors(filled)


def test_what_changes_no_exemplar_writes_nothing(filled, small):
    put(filled, *range(40))
    put(filled, 40, 41)
    take(filled, 1)
    before = segments_of(filled)
    for number in range(3):
        filled.apply(Changes(metadata={"o5": {"title": f"Title {number}"}}))
        update_segments(filled)
    assert segments_of(filled) == before


def test_damage_in_the_midst_of_an_index_that_is_not_exact_is_found(filled, monkeypatch):
    monkeypatch.setattr(segments, "LOOKED_AT", 64)
    choose(filled, Searching("HNSW8"))
    put(filled, *range(40))
    path = vectors_path(filled.data, 1)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert list(unsound_segments(filled)) == ["vectors-1.faiss was damaged"]


def test_what_takes_its_time_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(segmenting, "MANY", 2)
    for count, lines in ((2, 0), (3, 1)):
        with Catalogue.writing(tmp_path / "data") as catalogue:
            catalogue.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
            rows = [exemplar(f"o{count}{n}", path=f"{count}{n}.jpg", sha256=NAMES[n]) for n in range(count)]
            catalogue.apply(Changes(put=rows))
            catalogue.db.execute("DELETE FROM settings WHERE key = 'segments'")
            catalogue.apply(Changes(gone=[p.photo_id for p in catalogue.photos() if p.object_id[1] != str(count)]))
        complete_segments(tmp_path / "data")
        said = [record.message for record in caplog.records]
        assert said == ["What 3 photographs are found by is written, once: a minute for 10,000."] * lines


def test_a_transaction_that_is_taken_back_leaves_the_segments_of_before(filled, small):
    put(filled, *range(20))
    before = segments_of(filled)
    with pytest.raises(RuntimeError, match="stop"), filled.db.atomic():
        put(filled, 20, 21)
        assert len(segments_of(filled)) == 2
        raise RuntimeError("stop")
    assert segments_of(filled) == before and len(stray_files(filled.data, before)) == 2
    holds(filled)


def test_a_full_disk_leaves_the_catalogue_as_it_was(filled, small, monkeypatch):
    put(filled, *range(20))
    before = segments_of(filled)

    def full(*_):
        raise CatalogueBusy("cannot be written")

    for name in ("write_lists", "write_index"):
        with monkeypatch.context() as patched:
            patched.setattr(segment_writing, name, full)
            with pytest.raises(CatalogueBusy), filled.db.atomic():
                put(filled, *range(20, 45))
        assert segments_of(filled) == before
        assert not list(filled.data.glob("*.part"))


def test_a_kind_that_is_chosen_is_that_of_segments_large_enough(filled):
    put(filled, *range(20))
    with pytest.raises(UnknownIndex):
        check_choice(Searching("nonsense"), DIM)
    assert asked_kind(filled) == "auto"
    choose(filled, Searching("HNSW8"))
    update_segments(filled)
    (made,) = segments_of(filled) or ()
    assert (made.kind, made.contents) == ("HNSW8", 20) and made.recall is not None and made.parameters
    choose(filled, Searching("IVF16,Flat"))
    update_segments(filled)
    assert [item.kind for item in segments_of(filled)] == ["Flat"], "too few to train it"
    choose(filled, Searching("auto", 10**9))
    update_segments(filled)
    holds(filled)


@pytest.mark.parametrize(
    ("known", "new", "gone", "wanted"),
    [
        ([], 5, 0, []),
        ([10_000], 1, 0, [10_000]),
        ([1_000_000], 100, 0, []),
        ([1_000_000, 9_000], 100, 0, [9_000]),
        ([1_000_000, 100_000, 20_000], 4_000, 0, [20_000, 100_000]),
        ([1_000_000, 100_000, 20_000], 200_000, 0, [20_000, 100_000, 1_000_000]),
        ([1_000_000], 0, 199_999, []),
        ([1_000_000, 500], 0, 300_000, [1_000_000, 500]),
    ],
)
def test_which_segments_are_brought_together(known, new, gone, wanted):
    found = joined([Segment(n, count, MARK, MARK) for n, count in enumerate(known)], new, left_behind=gone)
    assert [item.contents for item in found] == wanted


def test_a_hundred_runs_leave_few_segments_and_write_little():
    known, written = [Segment(0, 1_000_000, MARK, MARK)], 0
    for number in range(1, 1001):
        chosen = joined(known, 100)
        made = Segment(number, 100 + sum(item.contents for item in chosen), MARK, MARK)
        known = [*(item for item in known if item not in chosen), made]
        written += made.contents
        assert len(known) <= 4
    assert written < 60 * 100_000


def test_what_a_file_is_known_by(tmp_path):
    path: Path = tmp_path / "a"
    path.write_bytes(bytes(200_000))
    mark = FileMark.of(path)
    assert mark.fits(path) and not mark.fits(tmp_path / "none")
    for at, seen in ((0, True), (65_535, True), (100_000, False), (199_999, True)):
        changed = bytearray(200_000)
        changed[at] = 1
        path.write_bytes(changed)
        assert mark.fits(path) != seen
    path.write_bytes(bytes(200_001))
    assert not mark.fits(path)


def test_vectors_are_given_by_their_keys(filled, monkeypatch):
    monkeypatch.setattr("retrieval.catalogue.content_keys.AT_ONCE", 3)
    keys = np.array([content_key(NAMES[n]) for n in (5, 1, 9, 2)] + [77], np.int64)
    found = list(vectors_of_keys(filled, keys))
    assert np.concatenate([some for some, _ in found]).tolist() == keys[:4].tolist()
    assert np.array_equal(np.concatenate([some for _, some in found]), [VECTORS[NAMES[n]] for n in (5, 1, 9, 2)])


def test_what_is_kept_of_segments_is_read_again(filled):
    put(filled, *range(5))
    text = json.loads(filled.setting("segments"))
    assert text["last"] == 1 and text["segments"][0]["contents"] == 5
    assert segments_of(filled)[0].votes == FileMark.of(votes_path(filled.data, 1))
