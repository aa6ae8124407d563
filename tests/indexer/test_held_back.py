"""What is measured on objects held back, with rows and vectors that are known."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from indexer.metric_learning.encoder_figures import evaluate_encoder, summarise  # noqa: E402
from indexer.training.held_back import evaluate_held_back, hardest_pairs  # noqa: E402
from indexer.training.plan import rows_showing  # noqa: E402
from indexer.training.pool import PLAIN, make_pictures  # noqa: E402
from tests.indexer.plans import SHAPE, SPLIT, Known  # noqa: E402


def test_the_threshold_comes_from_validation_and_the_figures_from_what_is_held_back(plan, known):
    validation, test = (rows_showing(plan, known.pool, ids) for ids in (SPLIT.validation, SPLIT.test))
    found = evaluate_held_back(known, validation, test)
    threshold = summarise(known.pool.features[validation], known.objects[validation], known.genuine[validation])
    assert found.threshold == threshold.threshold and found.threshold_given
    objects = [str(number) for number in known.objects[test]]
    wanted = evaluate_encoder(known.pool.features[test], objects, known.genuine[test], threshold=threshold.threshold)
    assert found.as_dict() == wanted.as_dict() and found.counts["objects"] == 3


def test_the_hardest_pairs_are_those_of_a_plain_loop(plan, known):
    rows = rows_showing(plan, known.pool, (*SPLIT.training, *SPLIT.validation))
    found = hardest_pairs(plan, known, rows, count=2)
    wanted = []
    for said in ("two genuine pictures of", "genuine, and a forgery of", "two different works,"):
        best, sign = [], -1 if said.startswith("two genuine") else 1  # the farthest of these, the nearest of those
        for one in rows.tolist():
            pairs = [
                (float(np.linalg.norm(known.pool.features[one] - known.pool.features[other])), other)
                for other in rows.tolist()
                if shown_as(known, one, other) == said
            ]
            if pairs and known.pool.rows[one].kind == PLAIN and known.genuine[one]:
                distance, other = min(pairs, key=lambda pair: sign * pair[0])
                best.append((sign * distance, one, other))
        shown: list[set[int]] = []
        for value, one, other in sorted(best):
            both = {known.objects[one], known.objects[other]}
            if len(shown) < 2 and not any(objects & both for objects in shown):  # each object once
                shown.append(both)
                wanted.append((sign * value, said, one, other))
    assert len(found) == len(wanted) == 6
    for pair, (far, kind, one, other) in zip(found, wanted, strict=True):
        ids = list(dict.fromkeys(plan.labelled.photos[known.pool.rows[row].photo].object_id for row in (one, other)))
        assert pair.distance == pytest.approx(far, abs=1e-4) and pair.said == f"{kind} {' and '.join(ids)}"
        for made, row in ((pair.one, one), (pair.other, other)):
            again = next(make_pictures(plan.labelled.photos, [known.pool.rows[row]], SHAPE))[0]
            assert np.array_equal(made, again)


def shown_as(known: Known, one: int, other: int) -> str | None:
    """Return what a pair is, seen from a plain genuine photo."""
    if known.objects[one] == known.objects[other]:
        if known.genuine[other]:
            return "two genuine pictures of" if one != other else None
        return "genuine, and a forgery of"
    plain = known.pool.rows[other].kind == PLAIN and known.genuine[other]
    return "two different works," if plain else None


def test_without_forgeries_there_is_no_hardest_one(plan, known):
    rows = rows_showing(plan, known.pool, SPLIT.validation)
    found = hardest_pairs(plan, known, rows[known.genuine[rows]])
    assert {pair.said.split(" K-")[0] for pair in found} == {"two genuine pictures of", "two different works,"}
