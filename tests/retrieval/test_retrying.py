"""Asking again: how long the pauses are, what passes, and when it ends."""

import pytest

from retrieval.catalogue.retrying import Outage, Patience


class Away(Exception):
    pass


class Time:
    """A clock that only sleeping and asking move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def patience(self, *, total: float, chance: float = 1.0) -> Patience:
        return Patience(total, first=1.0, longest=8.0, clock=lambda: self.now, sleep=self.sleep, chance=lambda: chance)


def is_away(error: Exception) -> bool:
    return isinstance(error, Away)


def answers_after(failures: int, error: Exception):
    left = [failures]

    def ask(seconds: float) -> float:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return seconds

    return ask


def test_who_answers_is_asked_once():
    time = Time()
    assert time.patience(total=10).keep_asking(answers_after(0, Away()), passes=is_away) == 10
    assert not time.pauses


def test_the_pauses_double_up_to_the_longest():
    time = Time()
    assert time.patience(total=100).keep_asking(answers_after(6, Away()), passes=is_away) == 100 - 31
    assert time.pauses == [1, 2, 4, 8, 8, 8]


def test_chance_halves_a_pause_at_most():
    time = Time()
    time.patience(total=100, chance=0.0).keep_asking(answers_after(3, Away()), passes=is_away)
    assert time.pauses == [0.5, 1, 2]


def test_patience_ends_within_its_time_with_the_last_failure():
    time = Time()
    asked = []

    def ask(seconds: float) -> None:
        asked.append(seconds)
        time.now += 0.5
        raise Away(len(asked))

    with pytest.raises(Away) as found:
        time.patience(total=10).keep_asking(ask, passes=is_away)
    assert found.value.args == (len(asked),)
    assert time.now <= 1010
    assert all(seconds > 0 for seconds in asked)


def test_our_own_mistakes_are_raised_at_once():
    time = Time()
    with pytest.raises(ZeroDivisionError):
        time.patience(total=10).keep_asking(answers_after(1, ZeroDivisionError()), passes=is_away)
    assert not time.pauses


def test_whoever_presses_ctrl_c_need_not_wait():
    time = Time()
    with pytest.raises(KeyboardInterrupt):
        time.patience(total=10).keep_asking(answers_after(1, KeyboardInterrupt()), passes=lambda error: True)


def test_an_outage_is_waited_for_once_and_told_once():
    time, told = Time(), []
    patience, outage = time.patience(total=10), Outage(told.append)
    with pytest.raises(Away):
        patience.keep_asking(answers_after(99, Away()), passes=is_away, outage=outage)
    pauses, time.now = len(time.pauses), time.now + 10
    with pytest.raises(Away):
        patience.keep_asking(answers_after(99, Away()), passes=is_away, outage=outage)
    assert len(time.pauses) == pauses and told == [10]
    patience.keep_asking(answers_after(0, Away()), passes=is_away, outage=outage)
    time.now += 100
    patience.keep_asking(answers_after(2, Away()), passes=is_away, outage=outage)
    assert len(time.pauses) == pauses + 2 and told == [10, 10]


def test_who_comes_to_an_outage_later_waits_no_longer():
    time = Time()
    patience, outage = time.patience(total=10), Outage()
    assert outage.since(time.now) == 1000
    time.now += 8
    with pytest.raises(Away):
        patience.keep_asking(answers_after(99, Away()), passes=is_away, outage=outage)
    assert time.now < 1010
