"""The edition that photographs are judged by, kept open and up to date."""

from dataclasses import dataclass

from cli.serve.editions import Editions
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.reviews import accepting, add_review
from retrieval.verdicts.withdrawals import withdraw


@dataclass(frozen=True)
class Opened:
    """Stands for an edition, and for the options that open it."""

    calibration: object = None
    misfit: bool = False

    def open_edition(self, data, *, parallel):
        return self


def test_whether_the_calibration_fits_is_asked_again_only_after_somebody_decided(data, monkeypatch):
    """It reads every verdict of the calibration, while all other photographs wait."""
    asked = []
    monkeypatch.setattr("cli.serve.editions.fits", lambda *of: asked.append(of) or len(asked) != 1)
    editions = Editions(data, Opened())
    assert [editions.current().misfit for _ in range(3)] == [False] * 3 and not asked
    with VerdictLog.opened(data) as log:
        review = add_review(log, accepting(log.entries()[0], name="Anna", reason=""))
    assert [editions.current().misfit for _ in range(3)] == [True] * 3 and len(asked) == 1
    with VerdictLog.opened(data) as log:
        withdraw(log, [review], name="Anna")
        log.add([log.entries()[0]])  # a verdict more, on which nobody has decided
    assert [editions.current().misfit for _ in range(3)] == [False] * 3 and len(asked) == 2
