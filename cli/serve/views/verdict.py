"""Show one recorded verdict: what was found, how sure that is, what to do, and what people decided."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.serve.asked import Asked
from cli.serve.decided import last_batch
from cli.serve.pages import page
from cli.serve.people.sessions import service
from cli.serve.verdict_cards import card_of
from retrieval.catalogue.catalogue import Catalogue
from retrieval.moment import shown
from retrieval.outcome import Outcome
from retrieval.verdicts.deciding import newer_reviews
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.opening import replacing
from retrieval.verdicts.queue import neighbours, waits, waits_within
from retrieval.verdicts.waiting import refresh


def show(request: Request) -> Response:
    """Show a verdict, as part of what is asked for of the queue."""
    return verdict_page(request, request.path_params["number"], Asked.of(request.query_params).from_top)


def verdict_page(
    request: Request,
    number: int,
    asked: Asked,
    *,
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of a verdict, perhaps with what hindered a decision and what was typed for it."""
    desk = service(request)
    with VerdictLog.reading(desk.data) as log, Catalogue.reading(desk.data) as catalogue:
        refresh(log)
        card = card_of(log, catalogue, log.entry(number))
        before, after = neighbours(log, asked.filter(desk.data), asked.order, number)
        kept, waiting = newer_reviews(log, number, 0), waits(log, number)
        others = others_of(log, card.entry)
        newer = None if waiting else replacing(log, number)
        newer_waits = newer is not None and waits(log, newer)
        whole = None if waiting or newer else waits_within(log, number)
    return page(
        request, "verdict.html", tab="queue", status=status, card=card, asked=asked, before=before, after=after,
        kept=kept[::-1], waiting=waiting, others=others, why=_why(card.entry), outcomes=tuple(Outcome), shown=shown,
        problem=problem, typed=typed or {}, can_write=desk.can_write, last=last_batch(request),
        newer=newer, newer_waits=newer_waits, whole=whole,
    )  # fmt: skip


def others_of(log: VerdictLog, entry: LogEntry) -> list[int]:
    """Return the other verdicts on the same photograph, the last one first."""
    if entry.sha256 is None:
        return []
    sql = "SELECT number FROM verdicts WHERE sha256 = ? AND number <> ? ORDER BY number DESC LIMIT 20"
    return [number for (number,) in log.db.execute(sql, [entry.sha256, entry.number])]


def _why(entry: LogEntry) -> dict[str, str]:
    """Return the numbers that a verdict rests on, with their names."""
    numbers = {
        "global distance": entry.whole, "local distance": entry.local, "combined distance": entry.combined,
        "threshold": entry.threshold, "likelihood ratio": entry.likelihood_ratio, "p-value": entry.p_value,
    }  # fmt: skip
    found = {name: f"{value:.6g}" for name, value in numbers.items() if value is not None}
    texts = {
        "condition": entry.condition, "recheck of verdict": entry.recheck_of,
        "calibration": entry.calibration or "none", "revision of the catalogue": entry.revision,
        "encoder": entry.encoder, "photograph": entry.name,
        "SHA-256": entry.sha256, "date": shown(entry.date),
    }  # fmt: skip
    return found | {name: str(text) for name, text in texts.items() if text is not None}


ROUTES = (Route("/verdicts/{number:int}", show, name="verdict"),)
