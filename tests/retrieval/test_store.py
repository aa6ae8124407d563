"""A catalogue whose vectors are searched in a store: what is put there, and what becomes of it when it is away."""

import stat
from dataclasses import replace

import numpy as np
import pytest

from indexer.building import store_copy
from indexer.building.publish import publish
from indexer.building.store_copy import copy_vectors
from retrieval.catalogue import segment_checks, segment_writing, segmenting, store_leavings, store_updates
from retrieval.catalogue.alarms import Alarms
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.content_keys import vectors_of
from retrieval.catalogue.exemplars import Present, photos_by_content
from retrieval.catalogue.index_choice import Searching, check_choice, choose
from retrieval.catalogue.key_of_content import content_key
from retrieval.catalogue.lookups import alarming_objects
from retrieval.catalogue.milvus_collection import STATUS_BYTES, STATUSES_AT_MOST
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.catalogue.segment_checks import unsound_segments
from retrieval.catalogue.segmenting import is_as_asked, is_complete, open_segments, update_segments
from retrieval.catalogue.segments import segments_of
from retrieval.catalogue.store import known_address, set_store, store_of
from retrieval.catalogue.store_leavings import remove_gone
from retrieval.catalogue.store_updates import put_statuses
from retrieval.catalogue.vector_index import Vectors
from retrieval.errors import StoreAway, UnusableStore
from retrieval.finding.nearest import nearest_alarming, nearest_objects
from tests.conftest import DIM, TINY, content, exemplar, unit
from tests.stores import MemoryStore

RANDOM = np.random.default_rng(0)
NAMES = [f"{n:02x}{RANDOM.integers(16**12):012x}{0:050x}" for n in range(40)]
VECTORS = dict(zip(NAMES, unit(RANDOM.standard_normal((40, DIM))), strict=True))
ADDRESS, OTHER = "milvus://127.0.0.1:19530/one", "milvus://127.0.0.1:19530/other"


@pytest.fixture
def stores(monkeypatch) -> dict[str, MemoryStore]:
    """Stores in memory, by their addresses."""
    found = {ADDRESS: MemoryStore(), OTHER: MemoryStore()}
    for module in (segmenting, segment_writing, segment_checks, store_copy, store_leavings, store_updates):
        monkeypatch.setattr(module, "open_store", lambda catalogue, address, **_: found[str(address)].__enter__())
    return found


@pytest.fixture
def filled(writable: Catalogue) -> Catalogue:
    writable.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
    writable.add_vectors([(content(name), VECTORS[name]) for name in NAMES], TINY)
    return writable


def put(catalogue: Catalogue, *numbers: int) -> None:
    rows = [exemplar(f"o{n}", path=f"{n}.jpg", sha256=NAMES[n]) for n in numbers]
    with catalogue.db.atomic():
        catalogue.apply(Changes(put=rows))
        update_segments(catalogue)


def found(catalogue: Catalogue, vector: np.ndarray, k: int = 5) -> list[tuple[str, float]]:
    vectors = Vectors(open_segments(catalogue).vectors, lambda hashes: vectors_of(catalogue, hashes))
    matches = nearest_objects(vectors, photos_by_content(Present(catalogue)), vector, k=k)
    return [(match.object_id, match.distance) for match in matches]


def test_what_is_found_is_the_same_in_files_and_in_a_store(filled, stores):
    put(filled, *range(30))
    probes = unit(RANDOM.standard_normal((9, DIM)))
    before = [found(filled, probe) for probe in probes]
    choose(filled, Searching(store=ADDRESS))
    assert is_complete(filled) and not is_as_asked(filled)
    update_segments(filled)
    assert is_as_asked(filled) and stores[ADDRESS].count() == 30 and not list(filled.data.glob("*.faiss.part"))
    (segment,) = segments_of(filled)
    assert (segment.kind, segment.vectors, segment.recall) == (ADDRESS, None, None)
    assert [found(filled, probe) for probe in probes] == before
    choose(filled, Searching(store="files"))
    update_segments(filled)
    assert segments_of(filled)[0].kind == "Flat" and [found(filled, probe) for probe in probes] == before


def test_only_what_is_new_is_put_there(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    put(filled, 30, 31)
    assert stores[ADDRESS].puts == 32 and stores[ADDRESS].held.keys() == {content_key(name) for name in NAMES[:32]}
    filled.forget_vector(NAMES[4])
    filled.add_vectors([(content(NAMES[4]), VECTORS[NAMES[39]])], TINY)
    update_segments(filled)
    assert stores[ADDRESS].puts == 33
    assert np.array_equal(stores[ADDRESS].held[content_key(NAMES[4])], VECTORS[NAMES[39]])


def test_what_is_taken_away_is_not_found_though_the_store_has_it(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    filled.apply(Changes(gone=[photo.photo_id for photo in filled.photos("o7")]))
    update_segments(filled)
    assert stores[ADDRESS].count() == 30 and found(filled, VECTORS[NAMES[7]])[0][0] != "o7"
    put(filled, 7)
    assert found(filled, VECTORS[NAMES[7]])[0] == ("o7", 0.0)
    remove_gone(filled)
    assert stores[ADDRESS].held.keys() == {content_key(name) for name in NAMES[:30]}, "it came back"


def test_what_is_gone_is_removed_from_the_store_once_the_database_says_so(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    with pytest.raises(RuntimeError, match="stop"), filled.db.atomic():
        filled.apply(Changes(gone=[photo.photo_id for photo in filled.photos("o7")]))
        update_segments(filled)
        raise RuntimeError("stop")
    remove_gone(filled)
    assert stores[ADDRESS].count() == 30 and found(filled, VECTORS[NAMES[7]])[0] == ("o7", 0.0)
    filled.apply(Changes(gone=[photo.photo_id for n in range(7) for photo in filled.photos(f"o{n}")]))
    update_segments(filled)
    stores[ADDRESS].away = True
    remove_gone(filled)
    stores[ADDRESS].away = False
    assert stores[ADDRESS].count() == 30
    remove_gone(filled)
    assert stores[ADDRESS].held.keys() == {content_key(name) for name in NAMES[7:30]}
    assert list(unsound_segments(filled)) == []


def test_a_store_that_goes_away_meanwhile_leaves_the_catalogue_as_it_was(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(10))
    stores[ADDRESS].broken = 7
    with pytest.raises(StoreAway):
        put(filled, *range(10, 30))
    assert filled.counts() == (10, 10) and is_complete(filled)
    with pytest.raises(StoreAway):
        found(filled, VECTORS[NAMES[3]])
    stores[ADDRESS].broken, stores[ADDRESS].away = None, False
    assert found(filled, VECTORS[NAMES[3]])[0] == ("o3", 0.0)
    put(filled, *range(10, 30))
    assert stores[ADDRESS].count() == 30 and [found(filled, VECTORS[NAMES[n]])[0][0] for n in (3, 12, 29)] == [
        "o3", "o12", "o29",
    ]  # fmt: skip


def test_what_a_store_lost_is_noticed_and_put_again(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    assert list(unsound_segments(filled)) == []
    lost = stores[ADDRESS].held.pop(content_key(NAMES[3]))
    assert list(unsound_segments(filled)) == [f"{ADDRESS} and votes2-1.lists did not agree with the database"]
    update_segments(filled, anew=True)
    assert np.array_equal(stores[ADDRESS].held[content_key(NAMES[3])], lost) and list(unsound_segments(filled)) == []


def test_a_password_is_kept_beside_the_catalogue_and_not_in_it(filled):
    set_store(filled, "milvus://admin:secret%2F@10.0.0.7/museum")
    assert filled.setting("store") == "milvus://10.0.0.7:19530/museum"
    path = filled.data / "store.token"
    assert path.read_text() == "10.0.0.7:19530 admin:secret/\n" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert store_of(filled).token == "admin:secret/" and "secret" not in repr(store_of(filled))
    (filled.data / "store.pem").write_text("certificates")
    assert store_of(filled).certificates == filled.data / "store.pem"
    assert known_address(filled, "milvus://other:one@10.0.0.8/x").token == "other:one"
    assert known_address(filled, "milvus://10.0.0.8/x").token == "", "it is not sent to another server"
    assert known_address(filled, "milvus://10.0.0.7/x").token == "admin:secret/"
    set_store(filled, "milvus://root:a b@10.0.0.8/x")
    assert [store_of(filled).token, known_address(filled, "milvus://10.0.0.7/x").token] == ["root:a b", "admin:secret/"]
    set_store(filled, "files")
    assert store_of(filled) is None


def test_an_address_that_is_none_is_refused(filled):
    with pytest.raises(UnusableStore):
        check_choice(Searching("HNSW8", store="http://10.0.0.7/museum"), DIM)
    assert store_of(filled) is None


def test_vectors_are_copied_into_a_store_and_from_one_to_another(filled, stores):
    put(filled, *range(30))
    steps: list[tuple[int, int]] = []
    once = copy_vectors(filled, "files", ADDRESS, on_progress=lambda done, total: steps.append((done, total)))
    assert once.vectors == 30 == stores[ADDRESS].count() and steps[-1] == (30, 30)
    again = copy_vectors(filled, ADDRESS, OTHER)
    assert again == once and stores[OTHER].held.keys() == stores[ADDRESS].held.keys()
    stores[OTHER].held[77] = VECTORS[NAMES[0]]
    assert copy_vectors(filled, ADDRESS, OTHER) == once, "what else is there does no harm"


def test_vectors_that_the_database_lost_come_back_from_a_store(filled, stores):
    put(filled, *range(30))
    once = copy_vectors(filled, "files", ADDRESS)
    stores[ADDRESS].held[77] = VECTORS[NAMES[0]]
    stores[ADDRESS].held[content_key(NAMES[39])] = VECTORS[NAMES[39]]  # no exemplar shows it any more
    for number in (2, 5):
        filled.forget_vector(NAMES[number])
    assert copy_vectors(filled, ADDRESS, "files") == once
    known = vectors_of(filled, NAMES[:30])
    assert all(np.array_equal(known[name], VECTORS[name]) for name in NAMES[:30])


def test_what_did_not_come_as_it_was_is_said(filled, stores, monkeypatch):
    put(filled, *range(30))
    whole = stores[ADDRESS].put
    monkeypatch.setattr(stores[ADDRESS], "put", lambda contents: whole([replace(contents[0], key=5), *contents[1:]]))
    with pytest.raises(UnusableStore, match=r"Of 30 vectors 29 came, or they differ.*copy again"):
        copy_vectors(filled, "files", ADDRESS)
    with pytest.raises(UnusableStore, match="cannot be copied into itself"):
        copy_vectors(filled, ADDRESS, ADDRESS)


def say(catalogue: Catalogue, status: str, *numbers: int) -> None:
    catalogue.apply(Changes(metadata={f"o{number}": {"status": status} for number in numbers}))


def noted(catalogue: Catalogue) -> set[str]:
    return {sha256 for (sha256,) in catalogue.db.execute("SELECT sha256 FROM status_changes")}


def said(store: MemoryStore) -> dict[str, tuple[str, ...]]:
    """Return the statuses in a store by the name of the content, where there are any."""
    names = {content_key(name): name for name in NAMES}
    return {names[key]: store.said[key] for key in store.held if store.said[key]}


def test_statuses_are_put_with_what_is_new_and_once(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    with filled.db.atomic():
        rows = [exemplar(f"o{n}", path=f"{n}.jpg", sha256=NAMES[n]) for n in range(6)]
        twin = exemplar("twin", path="twin.jpg", sha256=NAMES[1])
        described = {"o1": {"status": "Stolen (2003)"}, "o2": {"status": "sold"}, "twin": {"status": "on loan"}}
        filled.apply(Changes(put=[*rows, twin], metadata=described))
        update_segments(filled)
    wanted = {NAMES[1]: ("Stolen (2003)", "on loan"), NAMES[2]: ("sold",)}
    assert said(stores[ADDRESS]) == wanted and stores[ADDRESS].puts == 6 and noted(filled) == set()
    put_statuses(filled)
    assert stores[ADDRESS].puts == 6 and list(unsound_segments(filled)) == []
    copy_vectors(filled, ADDRESS, OTHER)
    assert said(stores[OTHER]) == wanted


def test_a_status_that_changes_is_put_again_and_only_it(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    say(filled, "stolen", 3, 4)
    update_segments(filled)
    assert noted(filled) == {NAMES[3], NAMES[4]} and said(stores[ADDRESS]) == {}
    assert list(unsound_segments(filled)) == [], "it is known to be put later"
    put_statuses(filled)
    assert said(stores[ADDRESS]) == {NAMES[3]: ("stolen",), NAMES[4]: ("stolen",)} and noted(filled) == set()
    assert stores[ADDRESS].puts == 32 and np.array_equal(stores[ADDRESS].held[content_key(NAMES[3])], VECTORS[NAMES[3]])
    say(filled, "", 3)
    say(filled, "stolen", 4)
    assert noted(filled) == {NAMES[3]}, "nothing changed of the other one"
    put_statuses(filled)
    assert said(stores[ADDRESS]) == {NAMES[4]: ("stolen",)} and list(unsound_segments(filled)) == []


def test_photographs_that_join_or_leave_an_object_with_a_status_change_theirs(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(10))
    say(filled, "stolen", 0)
    put_statuses(filled)
    (one,), (two,) = filled.photos("o1"), filled.photos("o2")
    filled.apply(Changes(put=[replace(one, object_id="o0"), exemplar("o0", path="more.jpg", sha256=NAMES[5])]))
    assert noted(filled) == {NAMES[1], NAMES[5]}
    put_statuses(filled)
    assert said(stores[ADDRESS]) == {NAMES[0]: ("stolen",), NAMES[1]: ("stolen",), NAMES[5]: ("stolen",)}
    more = next(photo for photo in filled.photos("o0") if photo.path == "more.jpg")
    filled.apply(Changes(put=[replace(two, sha256=NAMES[3])], gone=[more.photo_id]))
    say(filled, "missing", 2)
    assert noted(filled) == {NAMES[5], NAMES[2], NAMES[3]}
    update_segments(filled)
    remove_gone(filled)
    put_statuses(filled)
    assert said(stores[ADDRESS]) == {
        NAMES[0]: ("stolen",), NAMES[1]: ("stolen",), NAMES[3]: ("missing",),
    }  # fmt: skip
    assert list(unsound_segments(filled)) == []


def test_a_run_that_is_killed_before_statuses_are_put_is_completed_by_the_next(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    say(filled, "stolen", *range(12))
    stores[ADDRESS].away = True
    put_statuses(filled)
    stores[ADDRESS].away, stores[ADDRESS].broken = False, 5
    put_statuses(filled)
    assert len(noted(filled)) == 12 and len(said(stores[ADDRESS])) == 5
    stores[ADDRESS].away, stores[ADDRESS].broken = False, None
    publish(filled, Changes())
    assert noted(filled) == set() and said(stores[ADDRESS]) == {NAMES[n]: ("stolen",) for n in range(12)}
    with pytest.raises(RuntimeError, match="stop"), filled.db.atomic():
        say(filled, "sold", 3)
        update_segments(filled)
        raise RuntimeError("stop")
    assert noted(filled) == set() and list(unsound_segments(filled)) == []


def test_with_files_nothing_stays_noted_and_what_goes_into_a_store_later_has_its_statuses(filled, stores):
    put(filled, *range(10))
    say(filled, "stolen", 3)
    assert noted(filled) == {NAMES[3]}
    put_statuses(filled)
    assert noted(filled) == set()
    choose(filled, Searching(store=ADDRESS))
    update_segments(filled)
    assert said(stores[ADDRESS]) == {NAMES[3]: ("stolen",)}


def test_statuses_that_a_store_lost_are_noticed_and_put_again(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(10))
    say(filled, "stolen", 3)
    put_statuses(filled)
    stores[ADDRESS].said[content_key(NAMES[3])] = ()
    assert list(unsound_segments(filled)) == [f"{ADDRESS} and votes2-1.lists did not agree with the database"]
    update_segments(filled, anew=True)
    assert said(stores[ADDRESS]) == {NAMES[3]: ("stolen",)} and list(unsound_segments(filled)) == []


def test_very_long_and_very_many_statuses_are_cut_the_same_way_for_both(filled, stores):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(10))
    long = "stolen, " + "ä" * 5000
    say(filled, long, 3)
    crowd = [exemplar(f"p{n}", path=f"p{n}.jpg", sha256=NAMES[4]) for n in range(300)]
    described = {f"p{n}": {"status": f"lot {n}"} for n in range(300)} | {"p299": {"status": "vermisst"}}
    filled.apply(Changes(put=crowd, metadata=described))
    put_statuses(filled)
    (cut,), many = said(stores[ADDRESS])[NAMES[3]], said(stores[ADDRESS])[NAMES[4]]
    assert long.startswith(cut) and len(cut.encode()) in (STATUS_BYTES - 1, STATUS_BYTES)
    assert len(many) == STATUSES_AT_MOST and many[0] == "vermisst", "what raises an alarm is never left out"
    assert list(unsound_segments(filled)) == []
    assert alarming(filled, NAMES[3]) == ["o3", "p299"] and alarming(filled, NAMES[4]) == ["p299", "o3"]


def alarming(catalogue: Catalogue, name: str) -> list[str]:
    """Return the objects that raise an alarm, those nearest to a content first, of a catalogue searched in a store."""
    vectors = Vectors(open_segments(catalogue).vectors, lambda hashes: vectors_of(catalogue, hashes))
    alarms = Alarms(alarming_objects(catalogue), Present(catalogue), vectors)
    contents = photos_by_content(Present(catalogue))
    return [match.object_id for match in nearest_alarming([], alarms, contents, VECTORS[name], k=3)]


def test_a_store_is_asked_for_what_raises_an_alarm_only(filled, stores, monkeypatch):
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    say(filled, "stolen", 3)
    say(filled, "known forgery", 20)
    say(filled, "sold", 4)
    assert set(alarming(filled, NAMES[4])) == {"o3", "o20"}, "though the store does not know yet"
    put_statuses(filled)
    asked, search = [], stores[ADDRESS].search
    monkeypatch.setattr(
        stores[ADDRESS],
        "search",
        lambda vectors, k, statuses=None: (asked.append(statuses), search(vectors, k, statuses))[1],
    )
    assert alarming(filled, NAMES[20])[0] == "o20" and set(asked) == {("known forgery", "stolen")}
    monkeypatch.setattr("retrieval.catalogue.alarms.TEXTS_AT_ONCE", 1)
    assert alarming(filled, NAMES[3])[0] == "o3" and asked[-2:] == [("known forgery",), ("stolen",)]
    filled.apply(Changes(put=[exemplar("o35", path="35.jpg", sha256=NAMES[35])], metadata={"o35": {"status": "lost"}}))
    assert alarming(filled, NAMES[35])[0] == "o35", "what no segment holds yet is looked at too"


@pytest.mark.parametrize("beside", [100, 0])
def test_what_a_store_holds_to_be_stolen_and_is_gone_hides_nothing(filled, stores, monkeypatch, beside):
    monkeypatch.setattr("retrieval.catalogue.alarms.BESIDE", beside)
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    say(filled, "stolen", *range(20))
    put_statuses(filled)
    gone = [photo.photo_id for n in range(1, 20) for photo in filled.photos(f"o{n}")]
    filled.apply(Changes(gone=gone))
    update_segments(filled)
    assert stores[ADDRESS].count() == 30 and len(said(stores[ADDRESS])) == 20, "killed before the store is told"
    assert alarming(filled, NAMES[7]) == ["o0"]


def test_what_a_store_holds_to_be_stolen_and_is_recovered_hides_nothing(filled, stores, monkeypatch):
    monkeypatch.setattr("retrieval.catalogue.alarms.BESIDE", 0)
    choose(filled, Searching(store=ADDRESS))
    put(filled, *range(30))
    say(filled, "stolen", *range(20))
    put_statuses(filled)
    say(filled, "recovered", *range(1, 20))  # killed before the store is told
    assert len(said(stores[ADDRESS])) == 20 and alarming(filled, NAMES[7]) == ["o0"]
