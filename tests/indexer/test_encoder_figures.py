"""The figures of an encoder against hand-worked cases, plain loops over photos, and scikit-learn."""

import json
import math
import time

import numpy as np
import pytest

from indexer.metric_learning import encoder_figures as evaluation
from indexer.metric_learning.encoder_figures import NEAREST, RANDOM, NothingToMeasure, evaluate_encoder, summarise
from retrieval.statistics.metrics import (
    RankedQuery,
    equal_error_rate,
    global_average_precision,
    mean_average_precision,
    recall_at_k,
)
from tests.conftest import unit

FIGURES = ["accuracy", "precision", "recall", "f1", "eer", "auc", "recall_at_1", "map", "gap"]
AGAINST = ["eer_forgeries", "auc_forgeries", "eer_others", "auc_others"]


def photos(
    objects: int, each: int, forged: int = 0, *, noise: float = 1.0, dim: int = 16, seed: int = 0
) -> tuple[np.ndarray, list[str], list[bool]]:
    """Return vectors scattered around a centre for each object, forgeries further away, in mixed order."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"object-{index}" for index in range(objects)], each + forged)
    genuine = np.tile([True] * each + [False] * forged, objects)
    scatter = np.where(genuine, noise, 1.6 * noise)[:, None] * rng.standard_normal((len(names), dim))
    vectors = unit(np.repeat(rng.standard_normal((objects, dim)), each + forged, axis=0) + scatter)
    order = rng.permutation(len(names))
    return vectors[order], names[order].tolist(), genuine[order].tolist()


def apart(vectors: np.ndarray, one: int, other: int) -> float:
    return math.dist(vectors[one].tolist(), vectors[other].tolist())


def looped_pairs(vectors, objects, genuine) -> tuple[list[float], list[float], list[list[float]]]:
    """Genuine distances, forgery distances, and for each genuine photo those to all photos of other objects."""
    near, forged, others = [], [], []
    for one in range(len(objects)):
        if not genuine[one]:
            continue
        far = []
        for other in range(len(objects)):
            distance = apart(vectors, one, other)
            if objects[one] != objects[other]:
                far += [distance] if genuine[other] else []
            elif not genuine[other]:
                forged.append(distance)
            elif other > one:
                near.append(distance)
        others.append(sorted(far))
    return near, forged, others


def looped_queries(vectors, objects, genuine) -> list[RankedQuery]:
    """Each photo with all objects ranked; the true one after those equally near."""
    queries = []
    for one in range(len(objects)):
        best: dict[str, float] = {}
        for other in range(len(objects)):
            if genuine[other] and other != one:
                distance = round(apart(vectors, one, other), 6)
                best[objects[other]] = min(distance, best.get(objects[other], math.inf))
        truth = objects[one]
        ranking = sorted(best.items(), key=lambda item: (item[1], item[0] == truth))
        known = genuine[one] and truth in best
        queries.append(RankedQuery(frozenset([truth] if known else []), tuple(ranking)))
    return queries


@pytest.mark.parametrize("rows", [7, 512])
def test_retrieval_equals_a_plain_loop(monkeypatch, rows):
    monkeypatch.setattr(evaluation, "ROWS", rows)
    some = photos(12, 3, 1)
    lone = unit(np.random.default_rng(9).standard_normal((4, 16)))  # the only photo of its object
    vectors, objects, genuine = np.vstack([lone, some[0]]), [*"wxyz", *some[1]], [True] * 4 + some[2]
    found, queries = (
        evaluate_encoder(vectors, objects, genuine, resamples=20),
        looped_queries(vectors, objects, genuine),
    )
    assert found.figures["recall_at_1"].value == pytest.approx(recall_at_k(queries))
    assert found.figures["map"].value == pytest.approx(mean_average_precision(queries))
    assert found.figures["gap"].value == pytest.approx(global_average_precision(queries))
    assert 0.2 < found.figures["recall_at_1"].value < 0.98
    assert (found.figures["map"].n, found.figures["gap"].n) == (12, 16)
    assert found.counts["queries"] == 36


@pytest.mark.parametrize("rows", [7, 512])
def test_verification_equals_a_plain_loop_and_scikit_learn(monkeypatch, rows):
    sklearn = pytest.importorskip("sklearn.metrics")
    monkeypatch.setattr(evaluation, "ROWS", rows)
    monkeypatch.setattr(evaluation, "RANDOM", 0)  # what is left is a loop's to repeat
    some = photos(8, 3, 2)
    near, forged, others = looped_pairs(*some)
    nearest = [distance for far in others for distance in far[:NEAREST]]
    found = evaluate_encoder(*some, threshold=1.0, resamples=20)
    values = {name: estimate.value for name, estimate in found.figures.items()}
    assert values["eer_forgeries"] == pytest.approx(equal_error_rate(near, forged).rate)
    assert values["eer_others"] == pytest.approx(equal_error_rate(near, nearest).rate)
    truth = np.repeat([1, 0, 0], [len(near), len(forged), len(nearest)])
    weights = 1 / np.repeat([len(near), 2 * len(forged), 2 * len(nearest)], [len(near), len(forged), len(nearest)])
    distances = np.array(near + forged + nearest)
    assert values["auc"] == pytest.approx(sklearn.roc_auc_score(truth, -distances, sample_weight=weights))
    assert values["auc_forgeries"] == pytest.approx(
        sklearn.roc_auc_score(truth[: len(near) + len(forged)], -distances[: len(near) + len(forged)])
    )
    passed = distances <= 1.0
    assert values["accuracy"] == pytest.approx(sklearn.accuracy_score(truth, passed, sample_weight=weights))
    expected = sklearn.precision_recall_fscore_support(truth, passed, average="binary", sample_weight=weights)[:3]
    assert (values["precision"], values["recall"], values["f1"]) == pytest.approx(expected)
    counts = {"genuine_pairs": len(near), "forgery_pairs": len(forged), "other_pairs": len(nearest)}
    assert found.counts == counts | {"objects": 8, "genuine_photos": 24, "forgeries": 16, "queries": 24}


def test_random_photos_are_of_other_objects_and_any_of_them(monkeypatch):
    monkeypatch.setattr(evaluation, "NEAREST", 1)
    monkeypatch.setattr(evaluation, "RANDOM", 300)
    vectors, objects, genuine = photos(4, 3)
    measured = evaluation._measure(vectors, objects, genuine, 0)
    all_of_them = {round(d, 6) for far in looped_pairs(vectors, objects, genuine)[2] for d in far}
    assert {round(d, 6) for d in measured.others.distances.tolist()} == all_of_them
    assert len(measured.others.distances) == 12 * 301


def test_the_case_of_two_objects_by_hand():
    angles = np.radians([0, 10, 90, 130])  # a a b b
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    found = evaluate_encoder(vectors, list("aabb"), [True] * 4, threshold=0.5)
    assert {name: found.figures[name].value for name in ("recall_at_1", "map", "gap", "eer", "auc")} == {
        "recall_at_1": 1, "map": 1, "gap": 1, "eer": 0, "auc": 1,
    }  # fmt: skip
    assert (found.figures["recall"].value, found.figures["accuracy"].value) == (0.5, 0.75)  # b and b: 0.684
    assert (found.threshold, found.threshold_given) == (0.5, True)
    own = evaluate_encoder(vectors, list("aabb"), [True] * 4)
    assert 2 * math.sin(math.radians(20)) <= own.threshold < 2 * math.sin(math.radians(40))
    assert not own.threshold_given and own.figures["accuracy"].value == 1


def test_equal_vectors_are_not_found():
    collapsed = np.tile(unit(np.ones((1, 4))), (12, 1))
    found = evaluate_encoder(collapsed, list("aaabbbcccddd"), [True] * 12, resamples=20)
    assert found.figures["recall_at_1"].value == 0
    assert found.figures["map"].value == pytest.approx(1 / 4)
    assert found.figures["auc"].value == pytest.approx(0.5)
    assert found.figures["eer"].value == pytest.approx(0.5)


def test_a_forgery_near_its_object_lowers_gap_but_not_recall():
    vectors, objects, genuine = photos(6, 3, noise=0.1)
    before = evaluate_encoder(vectors, objects, genuine, resamples=20)
    forged = evaluate_encoder(
        np.vstack([vectors, vectors[:6]]), [*objects, *objects[:6]], [*genuine, *[False] * 6], resamples=20
    )
    assert before.figures["recall_at_1"].value == forged.figures["recall_at_1"].value == 1
    assert forged.figures["gap"].value < before.figures["gap"].value == 1


def test_the_summary_agrees_with_the_evaluation_whatever_the_ids_are():
    vectors, objects, genuine = photos(10, 3, 1)
    found = evaluate_encoder(vectors, objects, genuine, resamples=20)
    summary = summarise(vectors, np.unique(objects, return_inverse=True)[1], np.array(genuine))
    assert (summary.recall_at_1, summary.eer, summary.auc, summary.threshold) == (
        found.figures["recall_at_1"].value,
        found.figures["eer"].value,
        found.figures["auc"].value,
        found.threshold,
    )
    assert summary.score == summary.recall_at_1 - summary.eer


def test_the_figures_there_are_and_their_form():
    with_forgeries, without = (evaluate_encoder(*photos(10, 3, forged), resamples=30) for forged in (1, 0))
    assert set(with_forgeries.figures) == {*FIGURES, *AGAINST}
    assert list(without.figures) == FIGURES
    told = json.loads(json.dumps(with_forgeries.as_dict(), allow_nan=False))
    assert told["eer"] == {key: getattr(with_forgeries.figures["eer"], key) for key in ("value", "low", "high", "n")}
    for estimate in with_forgeries.figures.values():
        assert 0 <= estimate.low <= estimate.value + 0.05 and estimate.value - 0.05 <= estimate.high <= 1
        assert estimate.low < estimate.high and estimate.n == 10
    assert evaluate_encoder(*photos(10, 3, 1), resamples=30) == with_forgeries


def test_too_few_objects_to_measure_with_are_said():
    vectors = unit(np.random.default_rng(0).standard_normal((4, 8)))
    with pytest.raises(NothingToMeasure, match="Of 3 objects to measure with, 1 have two genuine"):
        evaluate_encoder(vectors, list("aabc"), [True] * 4)
    summary = summarise(vectors, list("abcd"), [True] * 4)
    assert all(math.isnan(value) for value in (summary.recall_at_1, summary.eer, summary.auc, summary.score))
    with pytest.raises(NothingToMeasure, match="no genuine photograph"):
        summarise(vectors, list("abcd"), [False] * 4)
    alone = summarise(vectors, list("aaaa"), [True] * 4)  # nothing else to confuse it with
    assert alone.recall_at_1 == 1 and math.isnan(alone.eer)


def test_inputs_are_checked():
    vectors, objects, genuine = photos(3, 2)
    for wrong in (
        (vectors[:-1], objects, genuine),
        (vectors[0], objects, genuine),
        (vectors * math.nan, objects, genuine),
    ):
        with pytest.raises(ValueError, match="Expected finite vectors"):
            summarise(*wrong)
    with pytest.raises(ValueError, match="not NaN"):
        evaluate_encoder(vectors, objects, genuine, threshold=math.nan)


def test_two_thousand_photos_take_seconds():
    some = photos(400, 3, 2, dim=128)
    start = time.monotonic()
    found = evaluate_encoder(*some, resamples=100)
    assert time.monotonic() - start < 10
    pairs = 1200 * (NEAREST + RANDOM)
    assert (found.counts["other_pairs"], found.counts["genuine_pairs"], found.counts["forgery_pairs"]) == (
        pairs,
        1200,
        2400,
    )
