"""Progress: the pace is that of the work at hand."""

from cli.output.progress import Pace


def test_what_an_earlier_run_did_makes_nothing_quicker():
    pace = Pace(start=100.0)
    assert pace.begins_with(901, 110.0) and pace.before == 900
    assert pace.rate(901, 110.0) == 0.1
    assert not pace.begins_with(905, 150.0)
    assert pace.rate(905, 150.0) == 0.1


def test_a_second_part_of_the_work_begins_anew():
    pace = Pace(start=0.0)
    pace.begins_with(1, 1.0)
    pace.begins_with(50, 50.0)
    assert pace.begins_with(1, 60.0)
    assert pace.rate(11, 65.0) == 11 / 5
