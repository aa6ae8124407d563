"""The threshold that genuine photographs set: the largest limit of the sources with enough pairs, rounded up."""

import json

import pytest

from tests.bench.genuine import LEAST_PAIRS, limits_of, objects, threshold_of, write_threshold

MANY = [(f"w{number}", number / 1000) for number in range(1, 31)]  # 30 objects: the limit is the largest
MORE = [(f"w{number}", 0.0201 + number / 10_000) for number in range(60)]  # 60 objects: the third largest
FEW = [(f"w{number // 2}", 0.9) for number in range(LEAST_PAIRS - 1)]


def test_a_source_with_few_pairs_sets_no_limit():
    limits = limits_of({"many": MANY, "more": MORE, "few": FEW})
    assert {source: limit.value for source, limit in limits.items()} == pytest.approx({"many": 0.030, "more": 0.0258})
    assert objects(FEW) == 10 and objects(MANY) == 30


def test_the_source_with_the_largest_limit_sets_the_threshold():
    limits = limits_of({"many": MANY, "more": MORE})
    assert threshold_of(limits) == {"value": 0.03, "rate": 0.05, "count": 30}
    assert threshold_of({"more": limits["more"]}) == {"value": 0.026, "rate": 0.05, "count": 60}


def test_the_threshold_is_written_beside_what_stands_there(tmp_path):
    file = tmp_path / "comparison.json"
    file.write_text(json.dumps({"schema": "one", "files": {"a": "b"}, "threshold": {"value": 0.9}}))
    threshold, sources = {"value": 0.3, "rate": 0.05, "count": 40}, {"many": 0.3, "few": None}
    write_threshold(file, threshold, sources)
    written = {"schema": "one", "files": {"a": "b"}, "threshold": threshold, "sources": sources}
    assert json.loads(file.read_text()) == written
