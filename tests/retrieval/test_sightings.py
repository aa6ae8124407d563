"""Works of no object are known again by their embedding and features; as many are kept as fit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cli.records.recorder import Recorder
from retrieval.encoder.encoder import load_encoder
from retrieval.finding.sightings import FEATURES, NEAREST, Sighting, Sightings
from retrieval.judging.edition import Edition, open_edition
from retrieval.judging.judge import Verdict, judge_all
from retrieval.photographs.features import Features, extract_features
from retrieval.verdicts.log import VerdictLog, read_sightings
from tests.conftest import index
from tests.pictures import SIZE, VIEWS, painting, warped, write_paintings

DIM = 16


def direction(number: int) -> np.ndarray:
    vector = np.random.default_rng(number).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def sighting(number: int, *, view: str | None = None) -> Sighting:
    """Return how a painting looks; all have next to the same embedding."""
    image = painting(number) if view is None else warped(painting(number), *VIEWS[view])
    size = SIZE if view is None else (560, 480)
    vector = direction(0) + 0.01 * direction(number + 1)
    return Sighting(vector.astype(np.float32), extract_features(image, size))


def seen(numbers: Sequence[int]) -> Sightings:
    kept = {number: sighting(number).thinned() for number in numbers}
    vectors = np.stack([item.vector for item in kept.values()]).astype(np.float16)

    def features_of(asked: Sequence[int]) -> dict[int, Features]:
        assert len(asked) <= NEAREST
        return {number: kept[number].features for number in asked}

    return Sightings.of(list(numbers), vectors, features_of)


def test_a_work_is_known_again_by_its_features_however_near_others_are():
    earlier = seen([3, 4, 5])
    assert earlier.like(sighting(4, view="aslant")) == (4,)
    assert earlier.like(sighting(9, view="aslant")) == ()


def test_the_nearest_come_first_and_no_more_than_some_are_tried():
    work = sighting(7)
    again = {number: Sighting(direction(0) + 0.1 * number * direction(1), work.features) for number in range(1, 9)}
    vectors = np.stack([item.vector for item in again.values()]).astype(np.float16)
    earlier = Sightings.of(list(again), vectors, lambda asked: {number: again[number].features for number in asked})
    assert earlier.like(Sighting(direction(0), work.features)) == (1, 2, 3, 4, 5)


def test_where_nothing_was_seen_nothing_is_known():
    nothing = Sightings.of([], np.empty((0, DIM), np.float16), lambda asked: {})
    assert nothing.like(sighting(1)) == ()


def test_of_a_work_some_features_are_kept_the_same_for_the_same():
    whole = sighting(2)
    kept, again = whole.thinned(), whole.thinned()
    assert len(kept.features) == FEATURES < len(whole.features)
    assert np.array_equal(kept.features.points, again.features.points)
    few = Sighting(whole.vector, whole.features.among(np.arange(len(whole.features)) < 7))
    assert len(few.thinned().features) == 7


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Edition:
    root = tmp_path_factory.mktemp("sightings")
    write_paintings(root / "works", 5)
    index(root / "works", root / "data", encoder=load_encoder(parallel=2))
    return open_edition(root / "data")


def kept_works(edition: Edition, folder: Path, numbers: Sequence[int]) -> list[int]:
    """Screen paintings that are in no catalogue, keep what is said, and return the numbers of the verdicts."""
    paths = []
    for number in numbers:
        paths.append(folder / f"{number}.png")
        painting(number).save(paths[-1])
    with VerdictLog.opened(edition.data) as log:
        return [number for verdict in judge_all(edition, paths, k=1) for number in Recorder(edition, log).keep(verdict)]


def test_what_is_kept_with_verdicts_is_read_again_and_only_of_the_same_encoder(edition, tmp_path):
    numbers = kept_works(edition, tmp_path, [90, 91])
    (verdict,) = judge_all(edition, [tmp_path / "90.png"], k=1)
    (work,) = verdict.works
    assert work.sighting is not None and work.seen == ()
    earlier = read_sightings(edition.data, edition.encoder.fingerprint)
    assert earlier.like(work.sighting)[0] == numbers[0] and numbers[1] not in earlier.like(work.sighting)
    assert read_sightings(edition.data, "another").like(work.sighting) == ()


def test_the_last_works_are_kept_and_every_verdict(edition, tmp_path):
    numbers = kept_works(edition, tmp_path, [92, 93, 94])
    with VerdictLog.opened(edition.data) as log:
        log.forget(kept=10_000)
        assert [n for (n,) in log.db.execute("SELECT verdict FROM sightings ORDER BY verdict")][-3:] == numbers
        log.forget(kept=2)
        assert [n for (n,) in log.db.execute("SELECT verdict FROM sightings ORDER BY verdict")] == numbers[-2:]
        assert {item.number for item in log.entries()} >= set(numbers)


def test_of_a_catalogued_work_and_of_an_unreadable_photograph_nothing_is_kept(edition, tmp_path):
    known, broken = tmp_path / "3.png", tmp_path / "broken.png"
    painting(3).save(known)
    broken.write_bytes(b"no picture")
    shown, unread = judge_all(edition, [known, broken], k=1)
    assert isinstance(shown, Verdict) and shown.works[0].sighting is None
    with VerdictLog.opened(edition.data) as log:
        assert [len(Recorder(edition, log).keep(verdict)) for verdict in (shown, unread)] == [1, 1]
        last = log.entries(limit=2)
        assert {item.outcome for item in last} >= {"unreadable"}
        marks = [item.number for item in last]
        assert log.db.execute("SELECT count(*) FROM sightings WHERE verdict IN (?, ?)", marks).fetchone() == (0,)
