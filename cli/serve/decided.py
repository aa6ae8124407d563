"""Remember what a browser decided last, so that it can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

REMEMBERED = 10  # decisions; they are kept in a cookie
KEY = "decided"


@dataclass(frozen=True, slots=True)
class Batch:
    """The reviews that were made at once, by their first and last number, and what they said."""

    first: int
    last: int
    words: str


def last_batch(request: Request) -> Batch | None:
    """Return what was decided last and not undone since; None where there is nothing."""
    kept = request.session.get(KEY)
    return Batch(*kept[-1]) if kept else None


def remember(request: Request, batch: Batch) -> None:
    """Remember a decision, and forget the oldest of many."""
    kept = [one for one in request.session.get(KEY, []) if one[:2] != [batch.first, batch.last]]
    request.session[KEY] = [*kept, [batch.first, batch.last, batch.words[:80]]][-REMEMBERED:]


def forget(request: Request, first: int, last: int) -> None:
    """Forget a decision that was undone."""
    request.session[KEY] = [one for one in request.session.get(KEY, []) if one[:2] != [first, last]]
