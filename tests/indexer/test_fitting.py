"""Fitting a calibration: thresholds and ratios on made-up distances, on the whole and by condition."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from indexer.measuring.conditions import pools
from indexer.measuring.fitting import Case, Distances, _groups, _units, fit
from retrieval.statistics.calibration import Calibration, lower_bound, upper_bound
from retrieval.statistics.likelihood import fit_ratio


def distances(
    count: int, *, kind: str = "o", genuine: bool = True, photos: int = 1, centre: float = 0.3, group: str = ""
) -> list[Distances]:
    """Return made-up distances of objects with so many photographs each; the first photograph's hash sorts first."""
    random = np.random.default_rng([count, photos, genuine])
    return [
        Distances(
            Case(Path(f"{number}-{photo}.jpg"), f"{kind}{number}", genuine, "labelled", group),
            f"{photo}{number:03}",
            float(random.normal(centre, 0.1)),
            float(random.normal(centre / 2, 0.1)),
        )
        for number in range(count)
        for photo in range(photos)
    ]


def fitted(
    genuine: Sequence[Distances], copies: Sequence[Distances] = (), unknown: Sequence[float] = (), **rates: float
) -> Calibration:
    edition = SimpleNamespace(measured_by="e", revision=3, exemplars=dict.fromkeys("abcdefg"))
    given = {"false_match": 0.01, "false_alarm": 0.05} | rates
    return fit(edition, genuine, copies, np.array(unknown), given["false_match"], given["false_alarm"])


@pytest.mark.parametrize("count", [3, 58, 59, 93, 130])
def test_thresholds_are_bounds_of_one_value_for_each_object(count):
    genuine = distances(count, photos=3)
    firsts = [item for item in genuine if item.sha256.startswith("0")]
    found = fitted(genuine)
    assert found.whole.threshold == upper_bound(np.array([item.whole for item in firsts]), 0.05)
    assert found.combined.threshold == upper_bound(np.array([item.combined for item in firsts]), 0.05)
    assert found.whole.genuine == tuple(sorted(item.whole for item in firsts))
    assert found.whole.threshold.count == count and found.sources == {"labelled": count, "exemplars": 0, "simulated": 0}
    assert (found.encoder, found.revision, found.objects) == ("e", 3, 7)


def test_each_rate_goes_to_its_threshold():
    unknown = np.random.default_rng(0).uniform(0.5, 1, 200)
    found = fitted(distances(80), unknown=unknown, false_match=0.2, false_alarm=0.1)
    assert found.match == lower_bound(unknown, 0.2)
    assert found.whole.threshold.rate == found.combined.threshold.rate == 0.1


def test_the_order_of_the_photographs_does_not_matter():
    genuine, copies = distances(20, photos=4), distances(15, genuine=False, photos=2, centre=0.6)
    found = fitted(genuine, copies)
    again = fitted(genuine[::-1], copies[::-1])
    assert again.whole.threshold == found.whole.threshold and again.combined.genuine == found.combined.genuine
    assert again.whole.ratio.slope == pytest.approx(found.whole.ratio.slope)


def test_where_the_first_photograph_was_not_compared_place_by_place_the_next_is_taken():
    genuine = distances(4, photos=2)
    broken = [replace(item, combined=None) if item.sha256 in ("0001", "0002", "1002") else item for item in genuine]
    found = fitted(broken)
    at = {item.sha256: item.combined for item in genuine}
    assert found.combined.genuine == tuple(sorted([at["0000"], at["1001"], at["0003"]]))
    assert found.whole.threshold.count == 4


def test_without_any_comparison_place_by_place_that_threshold_is_none():
    found = fitted([replace(item, combined=None) for item in distances(70)])
    assert found.combined.threshold.value is None and found.combined.threshold.count == 0
    assert found.combined.genuine == () and found.whole.threshold.value is not None


@pytest.mark.parametrize(("genuine", "copies", "given"), [(10, 10, True), (9, 30, False), (30, 9, False)])
def test_ratios_come_only_with_enough_objects_and_enough_copies(genuine, copies, given):
    found = fitted(distances(genuine, photos=3), distances(copies, genuine=False, photos=3, centre=0.6))
    assert found.copies == 3 * copies
    for measured in (found.whole, found.combined):
        assert (measured.ratio is not None) == given


def test_a_ratio_is_fitted_on_one_genuine_value_an_object_and_on_all_copies():
    genuine = distances(12, photos=2)
    copies = distances(11, kind="o", genuine=False, photos=3, centre=0.6)
    copies[0] = replace(copies[0], combined=None)
    found = fitted(genuine, copies)
    firsts = sorted((item for item in genuine if item.sha256.startswith("0")), key=lambda item: item.sha256)
    for measured, name in ((found.whole, "whole"), (found.combined, "combined")):
        used = [item for item in copies if getattr(item, name) is not None]
        expected = fit_ratio(
            np.array([getattr(item, name) for item in firsts]), [item.case.object_id for item in firsts],
            np.array([getattr(item, name) for item in used]), [item.case.object_id for item in used],
        )  # fmt: skip
        assert measured.ratio == expected


def test_objects_are_tied_through_groups_however_long_the_chain():
    rows = [("a", "g"), ("b", "g"), ("b", "h"), ("c", "h"), ("d", ""), ("e", ""), ("e", "i"), ("g", "")]
    genuine = [
        Distances(Case(Path(f"{row}.jpg"), object_id, True, "labelled", group), f"{row}", 0.1, None)
        for row, (object_id, group) in enumerate(rows)
    ]
    units = [{item.case.object_id for item in some} for some in _units(genuine, _groups(genuine)).values()]
    assert sorted(map(sorted, units)) == [["a", "b", "c"], ["d"], ["e"], ["g"]]


def test_sources_count_objects_by_where_their_first_photograph_is_from():
    genuine = [
        replace(item, case=replace(item.case, source=source))
        for source, count in (("exemplars", 2), ("simulated", 3))
        for item in distances(count, kind=source, photos=2)
    ]
    assert fitted(genuine).sources == {"labelled": 0, "exemplars": 2, "simulated": 3}


# -- by condition


def photographed(condition: str | None, count: int, **options: object) -> list[Distances]:
    """Return distances of objects photographed in one condition, each object in this alone."""
    return [replace(item, condition=condition) for item in distances(count, kind=str(condition), **options)]


def test_a_condition_that_carries_the_rate_has_its_own_threshold_and_the_others_share_one():
    near, far = photographed("close", 60, centre=0.2), photographed("small", 70, centre=0.9)
    few = photographed("surrounded", 3, centre=0.4)
    found = fitted([*near, *far, *few])
    assert found.conditions == {"small": 70, "surrounded": 3, "close": 60}
    limits = found.thresholds
    assert list(limits.by_condition) == [("small",), ("surrounded", "close")]
    small = upper_bound(np.array([item.combined for item in far]), 0.05)
    rest = upper_bound(np.array([item.combined for item in [*near, *few]]), 0.05)
    assert (
        limits.combined_of("small") == small and limits.combined_of("close") == limits.combined_of("surrounded") == rest
    )
    assert rest.value < limits.combined.value < small.value and (small.count, rest.count) == (70, 63)
    assert limits.combined_of(None) == found.combined.threshold and limits.pool_of(None) == ()
    assert found.combined_of("small").p_value(0.3) > found.combined_of("close").p_value(0.3)


def test_an_object_photographed_in_two_conditions_counts_once_in_each():
    small, close = photographed("small", 60), photographed("close", 60)
    both = [
        replace(item, case=replace(item.case, object_id=f"o{row % 60}")) for row, item in enumerate([*small, *close])
    ]
    found = fitted(both)
    assert found.conditions == {"small": 60, "surrounded": 0, "close": 60} and found.combined.threshold.count == 60
    assert [one.measured.threshold.count for one in found.classes] == [60, 60]


def test_where_no_condition_carries_the_rate_all_share_the_smallest():
    found = fitted([*photographed("small", 20), *photographed("close", 10)])
    (together,) = found.classes
    assert together.conditions == ("small", "surrounded", "close") and together.measured == found.combined


def test_without_a_comparison_place_by_place_there_is_no_condition():
    found = fitted([replace(item, combined=None) for item in photographed(None, 70)])
    assert found.classes == () and found.thresholds.by_condition == {}


def test_a_ratio_of_a_condition_is_of_its_own_copies_or_of_all_together():
    genuine = [*photographed("small", 60), *photographed("close", 60)]
    copies = [
        *photographed("small", 12, genuine=False, centre=0.7),
        *photographed("close", 4, genuine=False, centre=0.7),
    ]
    found = fitted(genuine, copies)
    assert found.combined_of("small").ratio.copies == 12 and found.ratio_of("small") == found.combined_of("small").ratio
    assert found.combined_of("close").ratio is None and found.ratio_of("close") == found.combined.ratio
    assert found.combined.ratio.copies == 16


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((5, 5, 5), [("a",), ("b",), ("c",)]),
        ((5, 4, 1), [("a",), ("b", "c")]),
        ((9, 0, 6), [("a",), ("b", "c")]),
        ((9, 6, 1), [("a",), ("b", "c")]),
        ((2, 1, 1), [("a", "b", "c")]),
        ((5, 1, 1), [("a", "b", "c")]),
    ],
)
def test_each_condition_is_in_one_pool_that_carries_the_rate(counts, expected):
    objects = {name: {f"{name}{n}" for n in range(count)} for name, count in zip("abc", counts, strict=True)}
    assert pools(objects, needed=5) == expected


def test_an_object_of_two_conditions_counts_once_in_their_pool():
    assert pools({"a": {"1", "2", "3"}, "b": {"1", "2", "3"}, "c": set("1234567")}, needed=5) == [("a", "b", "c")]


def test_a_calibration_by_condition_is_read_as_it_was_written_and_one_from_before_too():
    found = fitted([*photographed("small", 60), *photographed("close", 70)])
    written = json.loads(json.dumps(found.as_dict()))
    assert Calibration.from_dict(written, number=4) == replace(found, number=4)
    before = {name: value for name, value in written.items() if name not in ("classes", "conditions")}
    old = Calibration.from_dict(before, number=4)
    assert old.thresholds.combined_of("small") == found.combined.threshold and old.thresholds.pool_of("small") == ()


@pytest.mark.parametrize("draw", [0, 1, 2])
def test_each_condition_keeps_its_promise_on_photographs_that_it_was_not_set_on(draw):
    random = np.random.default_rng(draw)
    beyond = {"small": [], "close": []}
    for _ in range(60):
        genuine = [
            replace(item, combined=float(random.gamma(4, spread)))
            for name, spread in (("small", 0.2), ("close", 0.1))
            for item in photographed(name, 80)
        ]
        limits = fitted(genuine).thresholds
        for name, spread in (("small", 0.2), ("close", 0.1)):
            beyond[name].append(np.mean(random.gamma(4, spread, 500) > limits.combined_of(name).value))
    assert 0.005 < np.mean(beyond["small"]) < 0.05 and 0.005 < np.mean(beyond["close"]) < 0.05
