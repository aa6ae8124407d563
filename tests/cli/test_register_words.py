"""What is said of statuses after an index run is what a register of all objects says."""

from itertools import cycle

from cli.runs.register_words import SHOWN, say_register
from retrieval.catalogue.rows import Changes
from retrieval.catalogue.standing import Register
from retrieval.verdicts.wanted import wanted_objects
from tests.conftest import exemplar

SAID = (" Stolen ", "gestohlen", "missing", "not stolen", "stolen; frame recovered", "sold", " ", "stollen", "fake", "")


def test_each_status_is_looked_at_once_and_nothing_is_said_otherwise(writable, capsys):
    said = dict(zip((f"{number:03}" for number in range(90)), cycle(SAID), strict=False))
    put = [exemplar(name, sha256=name) for name in said]
    writable.apply(Changes(put=put, metadata={name: {"status": status} for name, status in said.items()}))
    register = Register.of(writable.objects())
    assert len(register.doubts) > SHOWN and len(register.alarms) == 3
    say_register(writable, since=0)
    out, err = capsys.readouterr()
    stolen, missing, forgeries = (len(register.alarms[status]) for status in ("stolen", "missing", "known forgery"))
    assert out == f"alerts: {stolen} stolen, {missing} missing, {forgeries} known forgeries\n"
    lines = [f"  status of {name}: {doubt}" for name, doubt in register.doubts.items()]
    assert err.splitlines()[:-1] == lines[:SHOWN] and f"{len(lines) - SHOWN} more" in err.splitlines()[-1]
    assert set(wanted_objects(writable)) == {name for name in said if register.is_wanted(name)}


def test_what_an_earlier_revision_changed_is_not_said_again(writable, capsys):
    writable.apply(Changes(put=[exemplar("a")]))
    writable.apply(Changes(metadata={"a": {"title": "A"}}))
    say_register(writable, since=1)
    assert capsys.readouterr().out.splitlines() == [
        "metadata of 1 object changed in revision 2:",
        "  title of a: nothing -> 'A'",
    ]
    say_register(writable, since=2)
    assert capsys.readouterr().out == ""
