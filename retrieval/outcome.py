"""What is said of a work: one of four outcomes."""

from __future__ import annotations

from enum import StrEnum

UNREADABLE = "unreadable"  # said in place of an outcome of a photograph that could not be read


class Outcome(StrEnum):
    """The four outcomes; there is no bare "fake"."""

    CONSISTENT = "consistent"
    DIVERGENT = "divergent"
    NO_MATCH = "no-match"
    INCONCLUSIVE = "inconclusive"


OF_AN_OBJECT = (Outcome.CONSISTENT, Outcome.DIVERGENT)  # outcomes that mean nothing without an object
