"""The parts of a split: sizes, strata, groups, what is held out, and the file it is kept in."""

import json
import os
import random
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.inputs.labels import LabelledPhoto, LabelledPhotos
from indexer.training.split import BadSplit, Split, read_split, split_by_object, write_split


def labelled(number: int, *, several: int = 0, forged: int = 0, shuffled: int | None = None) -> LabelledPhotos:
    """Return so many objects; the first `several` have two genuine photographs, the last `forged` a forgery."""
    names = [f"{index:04}" for index in range(number)]
    photos = [LabelledPhoto(Path(f"{name}.jpg"), name, True) for name in names]
    photos += [LabelledPhoto(Path(f"{name}-2.jpg"), name, True) for name in names[:several]]
    photos += [LabelledPhoto(Path(f"{name}-f.jpg"), name, False) for name in names[number - forged :]]
    if shuffled is not None:
        random.Random(shuffled).shuffle(photos)
    return LabelledPhotos(tuple(photos))


def sizes(split: Split) -> tuple[int, ...]:
    return tuple(len(part) for part in split.parts.values())


def test_the_parts_have_their_shares_and_nothing_is_lost():
    split = split_by_object(labelled(100), validation=0.2, test=0.1, seed=0)
    assert sizes(split) == (70, 20, 10)
    assert sorted([*split.training, *split.validation, *split.test]) == sorted(labelled(100).object_ids)
    assert all(part == tuple(sorted(part)) for part in split.parts.values())


def test_a_seed_repeats_it_whatever_the_order_and_another_does_not():
    one = split_by_object(labelled(60, several=20, forged=20), seed=4)
    assert split_by_object(labelled(60, several=20, forged=20, shuffled=1), seed=4) == one
    assert split_by_object(labelled(60, several=20, forged=20), seed=5) != one


def test_no_test_may_be_asked_for():
    assert sizes(split_by_object(labelled(20), validation=0.25, test=0)) == (15, 5, 0)


@given(
    st.integers(20, 200), st.integers(0, 200), st.integers(0, 200), st.floats(0.15, 0.4), st.floats(0.15, 0.4),
    st.integers(0, 5),
)  # fmt: skip
@settings(deadline=None, max_examples=80)
def test_each_stratum_is_spread_over_the_parts(number, several, forged, validation, test, seed):
    several, forged = min(several, number), min(forged, number)
    split = split_by_object(
        labelled(number, several=several, forged=forged), validation=validation, test=test, seed=seed
    )
    shares = (1 - validation - test, validation, test)
    assert sizes(split) == pytest.approx([share * number for share in shares], abs=1)
    strata: dict[tuple[bool, bool], list[str]] = {}
    for index, name in enumerate(sorted(labelled(number).object_ids)):
        strata.setdefault((index < several, index >= number - forged), []).append(name)
    for members in strata.values():
        found = [len(set(part) & set(members)) for part in split.parts.values()]
        assert found == pytest.approx([share * len(members) for share in shares], abs=2)


@given(st.lists(st.integers(1, 9), min_size=25, max_size=60), st.integers(0, 9))
@settings(deadline=None, max_examples=50)
def test_a_group_stays_whole(members, seed):
    groups = {}
    for group, size in enumerate(members):
        groups |= {f"{len(groups) + index:04}": f"artist-{group}" for index in range(size)}
    split = split_by_object(labelled(len(groups) + 10), validation=0.2, test=0.2, seed=seed, groups=groups)
    artists = [{groups[name] for name in part if name in groups} for part in split.parts.values()]
    assert sum(len(part) for part in artists) == len(set().union(*artists))
    assert sizes(split) == pytest.approx([share * (len(groups) + 10) for share in (0.6, 0.2, 0.2)], abs=9)


def test_objects_and_groups_held_out_are_in_the_test_and_count_there():
    groups = {f"{index:04}": "Anna" for index in range(5)} | {"0005": "Bruno", "0006": "Bruno"}
    split = split_by_object(labelled(100), test=0.1, validation=0.2, groups=groups, held_out=["Anna", "0006", "0050"])
    assert {f"{index:04}" for index in [*range(7), 50]} <= set(split.test)  # 0005 comes with its group
    assert sizes(split) == (70, 20, 10)


def test_more_may_be_held_out_than_the_test_would_have():
    held = [f"{index:04}" for index in range(60)]
    split = split_by_object(labelled(100), validation=0.2, test=0.2, held_out=held)
    assert split.test == tuple(held)
    assert sizes(split) == (30, 10, 60)
    assert sizes(split_by_object(labelled(100), validation=0.2, test=0, held_out=held)) == (32, 8, 60)


def test_what_cannot_be_held_out_is_named():
    with pytest.raises(BadSplit, match="no object or group Carla, Dora among"):
        split_by_object(labelled(50), held_out=["Dora", "0001", "Carla"])


@pytest.mark.parametrize(("validation", "test"), [(0, 0.2), (0.5, 0.5), (-0.1, 0.2), (0.2, -0.1), (1.5, 0)])
def test_shares_must_leave_something(validation, test):
    with pytest.raises(BadSplit, match="must leave some objects to train on"):
        split_by_object(labelled(50), validation=validation, test=test)


def test_too_few_objects_say_how_many_are_needed():
    with pytest.raises(BadSplit, match=r"Of 10 objects, 2 would be for the validation, .* 15 objects or more"):
        split_by_object(labelled(10), validation=0.2, test=0)
    with pytest.raises(BadSplit, match=r"Of 1 object, 1 would be for the training"):
        split_by_object(labelled(1))
    with pytest.raises(BadSplit, match="1 would be for the test"):
        split_by_object(labelled(50), test=0, held_out=["0000"])


@pytest.mark.parametrize(("validation", "test"), [(0.2, 0), (0.15, 0.15), (0.1, 0.2), (0.05, 0.5), (0.3, 0.6)])
def test_as_many_objects_as_are_said_to_be_needed_suffice(validation, test):
    with pytest.raises(BadSplit) as caught:
        split_by_object(labelled(2), validation=validation, test=test)
    needed = int(re.search(r"need (\d+) objects or more", str(caught.value)).group(1))
    for seed in range(5):
        found = split_by_object(labelled(needed, several=9, forged=4), validation=validation, test=test, seed=seed)
        assert min(size for size in sizes(found) if size) >= 3


def test_one_large_group_cannot_be_parted():
    groups = dict.fromkeys(labelled(50).object_ids, "Anna")
    with pytest.raises(BadSplit, match=r"Of 50 objects, 0 would be"):
        split_by_object(labelled(50), groups=groups)


# The file


def test_a_split_comes_back_as_it_was_written(tmp_path):
    some = labelled(40, several=10)
    split = split_by_object(some)
    write_split(tmp_path / "split.json", split)
    assert read_split(tmp_path / "split.json", some) == split
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


def test_a_split_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "split.json"
    split = split_by_object(labelled(40))
    write_split(path, split)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BadSplit, match=r"split\.json cannot be written: No space left"):
        write_split(path, split_by_object(labelled(40), seed=1))
    assert [file.name for file in tmp_path.iterdir()] == ["split.json"]
    assert read_split(path, labelled(40)) == split
    with pytest.raises(BadSplit, match="cannot be written"):
        write_split(tmp_path / "nowhere" / "split.json", split)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training": ["0000", "0001"]}, r"lacks 1 object: 0002\. Remove it"),
        ({"test": ["0004", "0005", "x"]}, "knows, but the labels do not, 1 object: x"),
        ({"test": ["0004", "0005", "0000"]}, "puts into two parts 1 object: 0000"),
        ({"test": ["0004", "0004", "0005"]}, "puts into two parts 1 object: 0004"),
        ({"test": 5}, "is not a split"),
        ({"test": [4, 5]}, "is not a split"),
        ({"validation": None}, "is not a split"),
    ],
)
def test_a_split_that_does_not_fit_the_labels_is_refused(tmp_path, change, message):
    parts = {"training": ["0000", "0001", "0002"], "validation": ["0003"], "test": ["0004", "0005"]}
    path = tmp_path / "split.json"
    path.write_text(json.dumps(parts), encoding="utf-8")
    assert read_split(path, labelled(6)).validation == ("0003",)
    path.write_text(json.dumps(parts | change), encoding="utf-8")
    with pytest.raises(BadSplit, match=message):
        read_split(path, labelled(6))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_what_is_no_split_at_all(tmp_path, content):
    path = tmp_path / "split.json"
    path.write_bytes(content)
    with pytest.raises(BadSplit, match="is not a split"):
        read_split(path, labelled(6))
    with pytest.raises(BadSplit, match="cannot be read"):
        read_split(tmp_path / "nowhere.json", labelled(6))
