"""Show what waits for a person, a page at a time."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cli.serve.asked import Asked
from cli.serve.decided import last_batch
from cli.serve.pages import page
from cli.serve.people.sessions import service
from cli.serve.verdict_cards import cards_of
from retrieval.catalogue.catalogue import Catalogue
from retrieval.outcome import UNREADABLE, Outcome
from retrieval.verdicts.log import DATABASE, VerdictLog
from retrieval.verdicts.queue import Order, count_waiting, read_page

SIZE = 50  # verdicts of a page


def show(request: Request) -> Response:
    """Show a page of the queue, or why it is empty."""
    desk, asked = service(request), Asked.of(request.query_params)
    if not (desk.data / DATABASE).is_file():
        return page(request, "queue_empty.html", tab="queue")
    with VerdictLog.reading(desk.data) as log, Catalogue.reading(desk.data) as catalogue:
        counts = count_waiting(log)
        found = read_page(log, asked.filter(desk.data), asked.order, size=SIZE, after=asked.after, before=asked.before)
        cards = cards_of(log, catalogue, found.numbers)
    return page(
        request, "queue.html", tab="queue", asked=asked, counts=counts, found=found, cards=cards, orders=tuple(Order),
        can_write=desk.can_write, outcomes=tuple(Outcome), kinds=(*Outcome, UNREADABLE), last=last_batch(request),
    )  # fmt: skip


ROUTES = (Route("/queue", show, name="queue"),)
