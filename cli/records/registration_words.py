"""Why a photograph was not laid over an exemplar, as pages say it."""

from __future__ import annotations

from retrieval.comparing.registration import NotRegistered
from retrieval.finding.finder import IMPLAUSIBLE
from retrieval.finding.match import Match


def not_registered(match: Match, what: str) -> str:
    """Say that the two could not be, or were not, what is said, such as `registered`, and why: no full stop."""
    tried = match.registration
    reason = tried.reason if isinstance(tried, NotRegistered) else "it was not tried"
    could = "could not be" if isinstance(tried, NotRegistered) and tried != IMPLAUSIBLE else "were not"
    return f"{could} {what}: {reason}"
