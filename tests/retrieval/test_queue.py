"""Paging through what waits: filtered and in order as a plain list is, and deciding on it together with others."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from retrieval.outcome import Outcome
from retrieval.verdicts.deciding import Decided, DecidedMeanwhile, Proposal, decide, last_review
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.of_object import count_on, verdicts_on
from retrieval.verdicts.queue import (
    ANY,
    NO_ALERT,
    BadFilter,
    Filter,
    Order,
    Place,
    count_waiting,
    neighbours,
    read_page,
    waits,
)
from retrieval.verdicts.reviews import accepting, add_review, overruling, reviews
from retrieval.verdicts.waiting import open_verdicts, order_of_verdict
from retrieval.verdicts.withdrawals import withdraw
from tests.logs import keep
from tests.retrieval.test_waiting import accept


@pytest.fixture
def log(tmp_path):
    with VerdictLog.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def filled(log):
    """A log with 80 verdicts of all kinds, drawn at random."""
    rng = random.Random(3)
    for number in range(80):
        lot = {"lot": str(number), "sale": rng.choice(("june", "july", "")), "house": rng.choice(("Müller", "Nord"))}
        keep(
            log,
            rng.choice(("divergent", "inconclusive", "unreadable", "consistent")),
            rng.choice(("A", "B")),
            sha256=f"s{number}",
            photo=f"/lots/photo-{number}.jpg",
            alert=rng.choice((None, None, "stolen", "missing")),
            alert_certainty=rng.choice((None, "undecided")),
            combined=rng.choice((None, 0.2, 0.5, rng.random())),
            threshold=rng.choice((None, 0.4)),
            lot=json.dumps(lot),
            date=f"2026-01-{1 + number % 20:02}T12:00:00+00:00",
            reasons=json.dumps(["a glare hides a part"] if number % 7 == 0 else []),
        )
    return log


def in_order(log: VerdictLog, order: Order) -> list[int]:
    """Return all that wait, sorted a verdict at a time."""
    places = {number: Place(*order_of_verdict(log, number)) for number in open_verdicts(log)}
    return sorted(places, key=lambda number: places[number].values(order))


def paged(log: VerdictLog, which: Filter, order: Order, *, size: int) -> list[int]:
    """Return what the pages list, from the first to the last, and check that they lead back."""
    found, page = [], read_page(log, which, order, size=size)
    while True:
        assert page.earlier == len(found)
        found += page.numbers
        if page.after is None:
            assert len(found) == page.total
            return found
        following = read_page(log, which, order, size=size, after=page.after)
        assert read_page(log, which, order, size=size, before=following.before).numbers == page.numbers
        page = following


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pages_list_all_that_waits_once_in_order(filled, order, size):
    listed = paged(filled, Filter(), order, size=size)
    assert listed == in_order(filled, order) and len(listed) > 50


FILTERS = [
    (Filter(outcome="divergent"), lambda entry: entry.outcome == "divergent"),
    (Filter(alert=ANY), lambda entry: entry.alert is not None),
    (Filter(alert=NO_ALERT), lambda entry: entry.alert is None),
    (Filter(alert="missing"), lambda entry: entry.alert == "missing"),
    (Filter(sale="june", house="Nord"), lambda entry: (entry.lot["sale"], entry.lot["house"]) == ("june", "Nord")),
    (Filter(least=0.3, most=0.6), lambda entry: entry.decisive is not None and 0.3 <= entry.decisive <= 0.6),
    (Filter(text="GLARE hid"), lambda entry: entry.reasons != ()),
    (Filter(text="muller"), lambda entry: entry.lot["house"] == "Müller"),
    (Filter(text="photo-1"), lambda entry: entry.photo.startswith("/lots/photo-1")),
    (Filter(text="nowhere", objects=("B",)), lambda entry: entry.object_id == "B"),
    (Filter(text="?!"), lambda entry: False),
    (Filter(text='" OR "x*'), lambda entry: False),
    (Filter(alert=ANY, text="glare", most=1.0), lambda entry: entry.alert and entry.reasons and entry.decisive),
]


@pytest.mark.parametrize(("which", "wanted"), FILTERS, ids=range(len(FILTERS)))
def test_a_filter_lists_what_is_like_it_and_nothing_else(filled, which, wanted):
    expected = [number for number in in_order(filled, Order.URGENT) if wanted(filled.entry(number))]
    assert not expected or paged(filled, which, Order.URGENT, size=4) == expected
    assert read_page(filled, which, Order.URGENT, size=4).total == len(expected)


def test_days_are_those_of_this_machine_and_the_last_one_counts_too(filled):
    which = Filter(since=date(2026, 1, 3), until=date(2026, 1, 5))
    found = paged(filled, which, Order.LATEST, size=5)
    assert {filled.entry(number).date[:10] for number in found} == {"2026-01-03", "2026-01-04", "2026-01-05"}
    assert read_page(filled, Filter(until=date.max), Order.LATEST, size=1).total == len(open_verdicts(filled))


def test_counts_are_of_all_that_waits(filled):
    counts, waiting = count_waiting(filled), [filled.entry(number) for number in open_verdicts(filled)]
    assert counts.total == len(waiting) == sum(counts.outcomes.values())
    for name, counted in (("outcome", counts.outcomes), ("alert", counts.alerts)):
        values = [getattr(entry, name) for entry in waiting if getattr(entry, name)]
        assert counted == {value: values.count(value) for value in values}
    assert set(counts.sales) == {"june", "july"} and set(counts.houses) == {"Müller", "Nord"}


def test_the_neighbours_of_a_verdict_are_those_of_the_list_also_when_it_waits_no_more(filled):
    listed = in_order(filled, Order.URGENT)
    assert neighbours(filled, Filter(), Order.URGENT, listed[0]) == (None, listed[1])
    assert neighbours(filled, Filter(), Order.URGENT, listed[-1]) == (listed[-2], None)
    accept(filled, listed[5])
    assert not waits(filled, listed[5]) and waits(filled, listed[4])
    assert neighbours(filled, Filter(), Order.URGENT, listed[5]) == (listed[4], listed[6])


def test_a_page_before_the_first_is_the_first(filled):
    listed = in_order(filled, Order.LATEST)
    second = Place(*order_of_verdict(filled, listed[1]))
    assert read_page(filled, Filter(), Order.LATEST, size=5, before=second).numbers == tuple(listed[:5])


def test_a_page_after_the_last_is_the_last(filled):
    listed = in_order(filled, Order.URGENT)
    last = Place(*order_of_verdict(filled, listed[-1]))
    page = read_page(filled, Filter(), Order.URGENT, size=5, after=last)
    assert page.numbers == tuple(listed[-5:]) and page.earlier == len(listed) - 5
    assert page.after is None and page.before == Place(*order_of_verdict(filled, listed[-5]))
    assert read_page(filled, Filter(text="nowhere"), Order.URGENT, size=5, after=last).numbers == ()


@pytest.mark.parametrize("text", ["", "1", "1:2", "a:b:c", "1:nan:3", "1:inf:3", f"1:2:{2**70}", f"{2**70}:2:1"])
def test_what_is_no_place_is_refused(text):
    with pytest.raises(BadFilter):
        Place.of(text)


def proposed(log: VerdictLog, number: int, *, seen: int = 0, name: str = "Anna", overrule: bool = False) -> Proposal:
    entry = log.entry(number)
    review = accepting(entry, name=name, reason="")
    if overrule:
        review = overruling(entry, Outcome.CONSISTENT, object_id=None, name=name, reason="cleaned")
    return Proposal(entry, review, seen)


def test_the_second_to_decide_is_told_and_nothing_of_all_that_they_sent_is_written(log):
    first, other = keep(log), keep(log, sha256="s2")
    assert decide(log, [proposed(log, first)]) == Decided((1,), 0)
    with pytest.raises(DecidedMeanwhile) as told:
        decide(log, [proposed(log, other, name="Bo"), proposed(log, first, name="Bo", overrule=True)])
    (item,) = told.value.items
    assert item.proposal.entry.number == first and item.last == 1
    assert [kept.review.name for kept in item.reviews] == ["Anna"]
    assert len(reviews(log)) == 1
    again = [proposed(log, other, name="Bo"), proposed(log, first, name="Bo", overrule=True, seen=item.last)]
    assert decide(log, again) == Decided((2, 3), 0)
    assert [review.name for review in reviews(log, first)] == ["Anna", "Bo"], "nothing is overwritten"


def test_what_is_sent_twice_is_kept_once_and_after_an_undo_it_is_asked(log):
    number = keep(log)
    assert decide(log, [proposed(log, number)]) == Decided((1,), 0)
    assert decide(log, [proposed(log, number)]) == Decided((), 1)
    assert len(reviews(log)) == 1
    withdraw(log, [1], name="Anna")
    with pytest.raises(DecidedMeanwhile):
        decide(log, [proposed(log, number)])
    assert decide(log, [proposed(log, number, seen=last_review(log, number))]) == Decided((2,), 0)


def test_a_decision_on_the_same_photograph_and_object_by_another_verdict_is_one_meanwhile(log):
    first, second = keep(log), keep(log, photo="/elsewhere/1.jpg")
    other_object = keep(log, object_id="B")
    accept(log, first)
    assert last_review(log, second) == 1 and last_review(log, other_object) == 0
    with pytest.raises(DecidedMeanwhile):
        decide(log, [proposed(log, second, name="Bo")])
    assert decide(log, [proposed(log, other_object)]).numbers == (2,)


def test_a_decision_on_photographs_that_were_judged_together_is_one_on_each(log):
    parts = [keep(log, sha256=f"s{number}") for number in range(2)]
    whole = keep(log, sha256="t", together=json.dumps(parts))
    assert open_verdicts(log) == [whole]
    add_review(log, accepting(log.entry(whole), name="Anna", reason=""))
    assert [last_review(log, number) for number in (*parts, whole)] == [1, 1, 1]
    withdraw(log, [1], name="Anna")
    accept(log, parts[0])
    assert [last_review(log, number) for number in (*parts, whole)] == [2, 1, 2]


def test_a_verdict_that_only_a_withdrawn_review_gave_to_an_object_is_no_longer_on_it(log):
    number = keep(log)
    review = overruling(log.entry(number), Outcome.CONSISTENT, object_id="B", name="Anna", reason="it is B")
    decide(log, [Proposal(log.entry(number), review, 0)])
    assert [entry.number for entry in verdicts_on(log, "B")] == [number] and count_on(log, "B") == 1
    withdraw(log, [1], name="Anna")
    assert verdicts_on(log, "B") == [] and count_on(log, "B") == 0


def test_of_many_who_decide_at_the_same_moment_one_is_first_and_all_others_are_told(tmp_path, log):
    number = keep(log)
    ready = threading.Barrier(6)

    def decide_as(name: str) -> str:
        with VerdictLog.opened(tmp_path) as own:
            proposal = proposed(own, number, name=name)
            ready.wait()
            try:
                return f"wrote {len(decide(own, [proposal]).numbers)}"
            except DecidedMeanwhile as told:
                return f"told of {len(told.items)}"

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(decide_as, (f"reviewer {each}" for each in range(6))))
    assert said == [*["told of 1"] * 5, "wrote 1"] and len(reviews(log)) == 1
