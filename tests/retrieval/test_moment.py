"""Moments compare as texts wherever they were made, and are shown in local time."""

from datetime import datetime

import pytest

from retrieval.moment import day, in_utc, now, shown, shown_shortly
from tests.conftest import BERLIN, NEW_YORK

SUMMER = "2026-07-01T02:30:00+00:00"
NIGHT = ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]  # both are half past two in Berlin


def test_now_is_in_utc_in_every_zone(zone):
    moments = []
    for name in (BERLIN, NEW_YORK, BERLIN):
        zone(name)
        moments.append(now())
    assert moments == sorted(moments)
    assert all(datetime.fromisoformat(moment).utcoffset().total_seconds() == 0 for moment in moments)
    assert all(len(moment) == len(SUMMER) for moment in moments)


@pytest.mark.parametrize(
    ("name", "minute", "of_day"),
    [(BERLIN, "2026-07-01 04:30 CEST", "2026-07-01"), (NEW_YORK, "2026-06-30 22:30 EDT", "2026-06-30")],
)
def test_a_moment_is_shown_in_local_time(zone, name, minute, of_day):
    zone(name)
    assert (shown(SUMMER), day(SUMMER)) == (minute, of_day)
    assert shown_shortly(SUMMER) == minute.rpartition(" ")[0]


def test_the_hour_that_comes_twice_is_told_apart(zone):
    zone(BERLIN)
    said = ["2026-10-25 02:30 CEST", "2026-10-25 02:30 CET"]
    assert [shown(moment) for moment in NIGHT] == [shown_shortly(moment) for moment in NIGHT] == said
    assert [in_utc("2026-10-25T02:30:00+02:00"), in_utc("2026-10-25T02:30:00+01:00")] == NIGHT == sorted(NIGHT)
    zone(NEW_YORK)
    assert [shown_shortly(moment) for moment in NIGHT] == ["2026-10-24 20:30", "2026-10-24 21:30"]


def test_what_is_no_moment_stays_as_it_is():
    for text in ("", "some day", "2026-13-01", "<b>"):
        assert {in_utc(text), shown(text), shown_shortly(text), day(text)} == {text}
