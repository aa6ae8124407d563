"""Shards: what lies in several folders by its hash is found as what lies in one."""

import os
import shutil
from functools import partial

import numpy as np
import pytest

from retrieval.catalogue import feature_rows, segments
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.contents import with_features
from retrieval.catalogue.feature_rows import IN_SHARD
from retrieval.catalogue.index_choice import Searching, choose, chosen_kind
from retrieval.catalogue.rows import Changes, EncoderRecord
from retrieval.catalogue.segment_checks import unsound_segments
from retrieval.catalogue.segmenting import is_as_asked, is_complete, open_segments, update_segments
from retrieval.catalogue.segments import remove_strays, segments_of, stray_files
from retrieval.catalogue.shard_features import DATABASE, ShardFeatures, shard_folder, shard_of
from retrieval.catalogue.shards import (
    check_all_sound,
    count_asked,
    finish_moving,
    is_moving,
    leave_unused,
    parts_of,
    remake_lost,
    settle_features,
)
from retrieval.catalogue.vote_index import cast_votes
from retrieval.errors import StoreAway, UnusableStore
from retrieval.photographs.features import VERSION, Features
from tests.conftest import DIM, TINY, content, exemplar, held_vectors, unit

RANDOM = np.random.default_rng(0)
NAMES = [f"{RANDOM.integers(2**32):08x}{RANDOM.integers(16**12):012x}{0:044x}" for _ in range(60)]
VECTORS = dict(zip(NAMES, unit(RANDOM.standard_normal((60, DIM))), strict=True))
FEATURES = {
    name: Features(
        RANDOM.uniform(0, 90, (6, 2)).astype(np.float32), RANDOM.integers(256, size=(6, 128), dtype=np.uint8), (100, 90)
    )
    for name in NAMES
}


@pytest.fixture
def filled(writable: Catalogue) -> Catalogue:
    writable.set_encoder(EncoderRecord(TINY, TINY, "fp32", DIM))
    writable.add_vectors([(content(name), VECTORS[name]) for name in NAMES], TINY)
    writable.add_features(FEATURES)
    put(writable, range(40))
    return writable


def put(catalogue: Catalogue, numbers) -> None:
    catalogue.apply(Changes(put=[exemplar(f"o{n}", path=f"{n}.jpg", sha256=NAMES[n]) for n in numbers]))
    update_segments(catalogue)


def divide(catalogue: Catalogue, count: int) -> None:
    """Do what an index run does that is asked for so many shards."""
    choose(catalogue, Searching(shards=count))
    move(catalogue)


def move(catalogue: Catalogue) -> None:
    """Do what `publish` does of it."""
    leave_unused(catalogue)
    if is_moving(catalogue):
        settle_features(catalogue)
    update_segments(catalogue)
    remove_strays(catalogue.data, segments_of(catalogue) or ())
    finish_moving(catalogue)


def found(catalogue: Catalogue) -> list:
    """Return what is voted for by the features of each content, and all vectors and features."""
    lists = open_segments(catalogue).votes
    ballots = [sorted(cast_votes(lists, item.descriptors).count()) for item in FEATURES.values()]
    kept = {name: item.to_bytes() for name, item in catalogue.features(NAMES).items()}
    return [ballots, held_vectors(catalogue), kept]


def rows(catalogue: Catalogue) -> list[bytes]:
    return [row for (row,) in catalogue.db.execute("SELECT features FROM features")]


@pytest.mark.parametrize("count", [2, 3, 8, 64])
def test_what_is_divided_and_brought_back_is_found_as_before(filled, count):
    before, files = found(filled), sorted(path.name for path in filled.data.iterdir())
    divide(filled, count)
    assert found(filled) == before and is_complete(filled) and is_as_asked(filled)
    assert set(rows(filled)) == {IN_SHARD} and not list(filled.data.glob("v*-*"))
    assert {item.shard for item in segments_of(filled)} == {shard_of(name, count) for name in NAMES[:40]}
    assert list(unsound_segments(filled)) == [] and not stray_files(filled.data, segments_of(filled))
    divide(filled, 1)
    leave_unused(filled)
    assert found(filled) == before and is_as_asked(filled) and IN_SHARD not in rows(filled)
    assert [path.name.partition("-")[0] for path in sorted(filled.data.iterdir())] == [
        name.partition("-")[0] for name in files
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64])
def test_every_content_has_one_place_and_features_lie_there_too(count):
    keys = np.array([int(name[:15], 16) for name in NAMES])
    held = np.array([part.holds(keys) for part in parts_of(count)])
    assert (held.sum(0) == 1).all()
    if count > 1:
        assert held.argmax(0).tolist() == [shard_of(name, count) for name in NAMES]
    for part in parts_of(count):
        low, high = part.hashes
        assert [low <= name < high for name in NAMES] == part.holds(keys).tolist()


def test_what_comes_and_goes_touches_the_shards_it_is_of(filled, monkeypatch):
    monkeypatch.setattr(segments, "SMALL", 0)
    monkeypatch.setattr(segments, "RATIO", 0)
    divide(filled, 4)
    before = {item.number for item in segments_of(filled)}
    elsewhere = [n for n in range(40, 60) if shard_of(NAMES[n], 4) != 2][:2]
    put(filled, elsewhere)
    new = [item for item in segments_of(filled) if item.number not in before]
    assert sorted({item.shard for item in new}) == sorted({shard_of(NAMES[n], 4) for n in elsewhere})
    assert before <= {item.number for item in segments_of(filled)} and is_complete(filled)
    photo_ids = [photo.photo_id for n in range(40) for photo in filled.photos(f"o{n}") if shard_of(NAMES[n], 4) == 2]
    filled.apply(Changes(gone=photo_ids))
    update_segments(filled)
    assert [item.shard for item in segments_of(filled) if item.shard == 2] == [] and is_complete(filled)
    filled.drop_unused_vectors()
    left = {name for (name,) in filled.db.execute("SELECT sha256 FROM features")}
    assert set(filled.features(NAMES)) == left == {photo.sha256 for photo in filled.photos()}


def test_features_that_come_later_lie_in_their_shards_and_can_be_forgotten(filled):
    divide(filled, 4)
    filled.forget_features(NAMES[0])
    assert filled.features(NAMES[:2]).keys() == {NAMES[1]}
    filled.add_features({NAMES[0]: FEATURES[NAMES[5]]})
    assert filled.feature_rows.get(NAMES[0], VERSION) == FEATURES[NAMES[5]].to_bytes()
    assert set(rows(filled)) == {IN_SHARD}
    with Catalogue.reading(filled.data) as reader:
        assert reader.features(NAMES[:1]).keys() == {NAMES[0]}


def test_a_shard_that_is_not_there_is_said_and_nothing_is_found_without_it(filled):
    divide(filled, 4)
    folder = shard_folder(filled.data, shard_of(NAMES[0], 4))
    filled.feature_rows.close()
    folder.rename(filled.data / "away")
    folder.mkdir()  # as where a disk is not mounted
    for act in (open_segments, is_complete, partial(Catalogue.features, sha256s=NAMES[:1])):
        with pytest.raises(StoreAway, match=f"shards.{folder.name} is not there"):
            act(filled)
    folder.rmdir()
    (filled.data / "away").rename(folder)
    assert is_complete(filled) and filled.features(NAMES[:1])


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"no database" * 1000,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:200] + bytes(len(whole) - 200),
    ],
)
def test_a_shard_that_is_damaged_is_said(filled, damage):
    divide(filled, 2)
    filled.feature_rows.close()
    path = shard_folder(filled.data, 1) / DATABASE
    path.write_bytes(damage(path.read_bytes()))
    for act in (check_all_sound, partial(Catalogue.features, sha256s=NAMES)):
        with pytest.raises(StoreAway, match=r"shards.01 is damaged, so that nothing is judged.*--remake-shards"):
            act(filled)


def test_a_shard_in_the_place_of_another_is_said(filled):
    divide(filled, 2)
    filled.feature_rows.close()
    first, second = (shard_folder(filled.data, number) for number in range(2))
    first.rename(filled.data / "away")
    second.rename(first)
    (filled.data / "away").rename(second)
    with pytest.raises(StoreAway, match="another shard"):
        filled.features(NAMES)


def test_shards_may_be_links_to_other_disks(filled, tmp_path):
    before = found(filled)
    for number in range(2):
        target = tmp_path / f"disk{number}"
        target.mkdir()
        (filled.data / "shards").mkdir(exist_ok=True)
        (filled.data / "shards" / f"{number:02d}").symlink_to(target)
    divide(filled, 2)
    assert found(filled) == before and (tmp_path / "disk1" / DATABASE).is_file()
    divide(filled, 1)
    leave_unused(filled)
    assert found(filled) == before and not list((tmp_path / "disk1").iterdir())


@pytest.mark.parametrize("count", [4, 1])
def test_a_move_that_is_killed_goes_on(filled, monkeypatch, count):
    monkeypatch.setattr(feature_rows, "AT_ONCE", 7)
    before = found(filled)
    if count == 1:
        divide(filled, 4)
    choose(filled, Searching(shards=count))
    changed, execute = 0, filled.db.atomic

    def killed():
        nonlocal changed
        changed += 1
        if changed == 3:
            raise KeyboardInterrupt
        return execute()

    with monkeypatch.context() as patched:
        patched.setattr(filled.db, "atomic", killed)
        with pytest.raises(KeyboardInterrupt):
            settle_features(filled)
    assert 0 < rows(filled).count(IN_SHARD) < 60 and found(filled) == before
    with Catalogue.reading(filled.data) as reader:
        assert found(reader) == before
    move(filled)
    assert count_asked(filled) == count and is_as_asked(filled) and found(filled) == before
    assert rows(filled).count(IN_SHARD) == (60 if count > 1 else 0)


def test_a_shard_that_is_lost_is_made_anew_and_what_it_held_is_known_to_be_missing(filled):
    divide(filled, 4)
    lost = {name for name in NAMES if shard_of(name, 4) in (1, 3)}
    filled.feature_rows.close()
    shard_folder(filled.data, 1).joinpath(DATABASE).unlink()
    shard_folder(filled.data, 3).joinpath(DATABASE).write_bytes(b"no database" * 1000)
    assert remake_lost(filled) == [1, 3] and remake_lost(filled) == []
    assert set(filled.features(NAMES)) == with_features(filled, NAMES) == set(NAMES) - lost
    filled.add_features({name: FEATURES[name] for name in lost})
    update_segments(filled)
    assert len(filled.features(NAMES)) == 60 and is_complete(filled) and list(unsound_segments(filled)) == []


def test_remaking_that_is_killed_is_done_again(filled, monkeypatch):
    divide(filled, 2)
    filled.feature_rows.close()
    shard_folder(filled.data, 1).joinpath(DATABASE).unlink()
    with monkeypatch.context() as patched:
        patched.setattr("retrieval.catalogue.shard_features.os.replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            remake_lost(filled)
    kept = {name for name in NAMES if shard_of(name, 2) == 0}
    assert with_features(filled, NAMES) == kept
    with pytest.raises(StoreAway, match="is not there"):
        filled.add_features(FEATURES)
    assert remake_lost(filled) == [1] and set(filled.features(NAMES)) == kept


def test_a_link_that_leads_nowhere_is_said(filled, tmp_path):
    (filled.data / "shards").mkdir()
    (filled.data / "shards" / "01").symlink_to(tmp_path / "unplugged")
    with pytest.raises(StoreAway, match=r"is a link to .*unplugged, which is not there\. Make that folder"):
        choose(filled, Searching(shards=2))
    assert count_asked(filled) == 1 and is_complete(filled)
    (tmp_path / "unplugged").mkdir()
    divide(filled, 2)
    assert len(filled.features(NAMES)) == 60


def test_an_older_copy_of_a_shard_is_refused(filled, tmp_path):
    divide(filled, 2)
    shutil.copytree(filled.data / "shards", tmp_path / "copy")
    filled.add_features({name: FEATURES[name] for name in NAMES})
    filled.feature_rows.close()
    shutil.rmtree(filled.data / "shards")
    shutil.copytree(tmp_path / "copy", filled.data / "shards")
    with pytest.raises(StoreAway, match="is an older copy, which lacks what came since"):
        filled.features(NAMES)
    with pytest.raises(StoreAway, match="older copy"):
        check_all_sound(filled)


def test_a_newer_shard_than_a_reader_knows_is_read(filled):
    divide(filled, 2)
    with Catalogue.reading(filled.data) as reader:
        assert reader.revision is not None  # settles what is seen
        filled.add_features({NAMES[0]: FEATURES[NAMES[0]]})
        assert len(reader.features(NAMES)) == 60


def test_a_run_that_is_killed_while_it_forgets_leaves_no_row_without_features(filled, monkeypatch):
    divide(filled, 2)
    filled.apply(Changes(gone=[photo.photo_id for photo in filled.photos("o0")]))
    monkeypatch.setattr(ShardFeatures, "drop", _killed)
    with pytest.raises(KeyboardInterrupt):
        filled.drop_unused_vectors()
    assert NAMES[0] not in with_features(filled, NAMES)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_features_that_a_shard_lost_are_known_to_be_missing_once_its_contents_are_written_again(filled):
    divide(filled, 2)
    gone = NAMES[45]
    ShardFeatures.drop(filled.feature_rows._opened(), [gone])
    put(filled, range(40, 50))
    assert with_features(filled, NAMES) == set(NAMES) - {gone}


def test_shards_that_are_in_use_no_more_stay_for_readers_until_the_next_run(filled, tmp_path):
    divide(filled, 4)
    with Catalogue.reading(filled.data) as reader:
        assert reader.revision is not None  # settles what is seen
        divide(filled, 1)
        assert len(reader.features(NAMES)) == 60
    leave_unused(filled)
    assert not (filled.data / "shards").exists()
    divide(filled, 8)
    assert len(filled.features(NAMES)) == 60


def test_a_shard_of_another_catalogue_is_neither_used_nor_removed(filled, tmp_path):
    with Catalogue.writing(tmp_path / "other") as other:
        choose(other, Searching(shards=2))
    shutil.copytree(tmp_path / "other" / "shards", filled.data / "shards")
    with pytest.raises(UnusableStore, match="holds a shard of another catalogue"):
        choose(filled, Searching(shards=2))
    assert count_asked(filled) == 1 and is_complete(filled)
    (filled.data / "shards" / "00" / DATABASE).write_bytes(b"")
    leave_unused(filled)
    assert (filled.data / "shards" / "01" / DATABASE).is_file()
    shutil.rmtree(filled.data / "shards")
    divide(filled, 2)
    assert len(filled.features(NAMES)) == 60


def test_another_number_waits_until_all_is_together_again(filled):
    divide(filled, 4)
    with pytest.raises(UnusableStore, match=r"has 4 shards\. Give `--shards 1` first"):
        choose(filled, Searching(shards=8))
    choose(filled, Searching(shards=1))
    choose(filled, Searching(shards=4))  # after all
    move(filled)
    assert count_asked(filled) == 4 and is_as_asked(filled) and set(rows(filled)) == {IN_SHARD}
    assert len(filled.features(NAMES)) == 60


def test_memory_is_that_of_all_shards(filled, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "retrieval.catalogue.index_choice.kind_for", lambda count, dim, memory: asked.append(memory) or "Flat"
    )
    choose(filled, Searching(memory=8_000_000))
    chosen_kind(filled, 100)
    divide(filled, 4)
    chosen_kind(filled, 100)
    assert asked[0] == 8_000_000 and asked[-1] == 2_000_000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_shards_that_cannot_be_written_are_read(filled):
    divide(filled, 2)
    filled.feature_rows.close()
    folders = [shard_folder(filled.data, number) for number in range(2)]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with Catalogue.reading(filled.data) as reader:
            assert len(reader.features(NAMES)) == 60
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_features_of_another_version_are_none(filled, monkeypatch):
    divide(filled, 2)
    assert filled.feature_rows.get(NAMES[0], VERSION) and filled.feature_rows.get(NAMES[0], VERSION + 1) is None
