"""Photographs that served a calibration are told by their content, whatever their name."""

from types import SimpleNamespace

import pytest

from cli.runs.evaluate import _not_served
from indexer.inputs.queries import Query
from indexer.measuring.evaluate import NothingToEvaluate
from indexer.measuring.served import told_apart
from retrieval.photographs.files import sha256_of


@pytest.fixture
def queries(tmp_path) -> list[Query]:
    """Photographs of A, A again, B, an unknown work, and one that is gone; the first served."""
    for name in "abcd":
        (tmp_path / name).write_text(name)
    shown = [("a", {"A"}), ("b", {"A"}), ("c", {"B"}), ("d", set()), ("gone", {"B"})]
    return [Query(tmp_path / name, frozenset(objects)) for name, objects in shown]


def calibration(*queries: Query) -> SimpleNamespace:
    known = {sha256_of(query.path): next(iter(query.objects)) for query in queries}
    return SimpleNamespace(number=4, photographs=known)


def test_they_are_told_by_content_and_their_objects_are_counted(queries):
    found = told_apart(queries, calibration(queries[0]))
    assert ([*found.served], [*found.others], found.of_its_objects) == (queries[:1], queries[1:], 1)
    assert [*told_apart(queries, None).others] == queries
    assert [*told_apart(queries, SimpleNamespace(photographs={})).others] == queries, "of an earlier version"


def test_they_are_left_out_and_that_is_said_unless_they_are_asked_for(queries, capsys):
    assert _not_served(queries, calibration(queries[0]), with_calibrated=False) == queries[1:]
    said = capsys.readouterr().err
    assert "1 of 5 photographs served calibration 4: left out; --with-calibrated measures them too" in said
    assert "1 other shows an object that served it by another photograph" in said
    assert _not_served(queries, calibration(queries[0]), with_calibrated=True) == queries
    assert "measured all the same" in capsys.readouterr().err


def test_where_all_served_there_is_nothing_to_evaluate(queries):
    with pytest.raises(NothingToEvaluate, match="The only photograph served calibration 4"):
        _not_served(queries[:1], calibration(queries[0]), with_calibrated=False)
