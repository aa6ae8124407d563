"""Decide on verdicts, one or many at once, and take decisions back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cli.serve.asked import Asked
from cli.serve.decided import Batch, forget, remember
from cli.serve.pages import at_desk, below, link_to, page, path_of
from cli.serve.people.refused import Refused
from cli.serve.people.sessions import note, posted, service, visitor
from cli.serve.service import Service
from cli.serve.verdict_cards import VerdictCard, cards_of
from cli.serve.views.sign_in import LONGEST_NAME
from cli.serve.views.verdict import verdict_page
from retrieval.catalogue.catalogue import Catalogue
from retrieval.errors import UnknownObject
from retrieval.moment import shown
from retrieval.outcome import OF_AN_OBJECT, Outcome
from retrieval.verdicts.deciding import Decided, DecidedMeanwhile, Proposal, decide
from retrieval.verdicts.entry import LogEntry
from retrieval.verdicts.log import VerdictLog
from retrieval.verdicts.queue import read_page
from retrieval.verdicts.reviews import BadReview, Review, accepting, overruling
from retrieval.verdicts.withdrawals import withdraw

ACCEPT = "accept"
LONGEST_REASON = 2_000  # letters
MOST = 500  # verdicts decided on at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to decide, as their form says it."""

    decision: str  # ACCEPT, or the outcome that is right instead
    object_id: str
    reason: str
    name: str
    seen: tuple[tuple[int, int], ...]  # numbers of verdicts, each with the last review that its page had shown
    many: bool  # whether verdicts were chosen to be decided at once, though it may be just one
    asked: Asked
    back: str  # to the "next" verdict, to the same "verdict", or else to the queue

    @property
    def numbers(self) -> list[int]:
        """The verdicts."""
        return [number for number, _ in self.seen]

    @property
    def typed(self) -> dict[str, str]:
        """What to show again where it could not be done."""
        return {"decision": self.decision, "object": self.object_id, "reason": self.reason}


async def decide_one(request: Request) -> Response:
    """Decide on one verdict."""
    form = await posted(request)
    number = request.path_params["number"]
    return await _decide(request, _wanted(request, form, [f"{number}:{form.get('seen', '0')}"], many=False))


async def decide_many(request: Request) -> Response:
    """Decide on many verdicts at once, all of them or none."""
    form = await posted(request)
    return await _decide(request, _wanted(request, form, [str(text) for text in form.getlist("verdict")], many=True))


async def look_over(request: Request) -> Response:
    """Show what is about to be decided on many verdicts, before it is."""
    form = await posted(request)
    wanted = _wanted(request, form, [str(text) for text in form.getlist("verdict")], many=True)
    return await run_in_threadpool(_overview, request, wanted, every=bool(form.get("every")))


async def undo(request: Request) -> Response:
    """Take back the reviews that were made at once."""
    form = await posted(request)
    first, last = _number(form.get("first")), _number(form.get("last"))
    wanted = _wanted(request, form, [], many=False)
    _refuse_read_only(request)
    if not 0 <= last - first < MOST:
        raise Refused(422, f"At most {MOST} decisions are taken back at once.")
    if not wanted.name:
        return _ask_name(request, form)
    taken = await run_in_threadpool(_withdraw, service(request), range(first, last + 1), wanted.name, wanted.reason)
    forget(request, first, last)
    if taken:
        note(request, "took reviews back", reviews=taken, reason=wanted.reason)
    return _go_on(request, wanted, form.get("verdict"))


def _refuse_read_only(request: Request) -> None:
    if not service(request).can_write:
        raise Refused(409, "The data folder cannot be written, so nothing can be decided. Copy it, and serve the copy.")


def _number(text: object) -> int:
    digits = str(text or "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise Refused(422, "This form is not whole. Go back, and read the page again.")
    return int(digits)


def _wanted(request: Request, form: FormData, verdicts: Sequence[str], *, many: bool) -> Wanted:
    """Read what somebody wants to decide, and keep the name that they say; raises Refused."""
    decision = str(form.get("decision", ACCEPT))
    if decision not in (ACCEPT, *Outcome):
        raise Refused(422, f"A verdict is accepted, or one of {', '.join(Outcome)} is right instead.")
    said = " ".join(str(form.get("name", "")).split())
    if said and not visitor(request).name:
        if len(said) > LONGEST_NAME:
            raise Refused(422, f"A name has 1 to {LONGEST_NAME} letters.")
        request.session["name"] = said
    reason = str(form.get("reason", "")).strip()
    if len(reason) > LONGEST_REASON:
        raise Refused(422, f"A reason has at most {LONGEST_REASON:,} letters.")
    if len(verdicts) > MOST:
        raise Refused(422, f"At most {MOST} verdicts are decided on at once.")
    seen = [text.partition(":") for text in dict.fromkeys(verdicts)]
    return Wanted(
        decision, str(form.get("object", "")).strip(), reason, visitor(request).name,
        tuple((_number(number), _number(last or "0")) for number, _, last in seen), many,
        Asked.of_query(str(form.get("q", ""))), str(form.get("back", "")),
    )  # fmt: skip


async def _decide(request: Request, wanted: Wanted) -> Response:
    if not wanted.seen:
        raise Refused(422, "No verdict was chosen. Go back, and choose some.")
    _refuse_read_only(request)
    if not wanted.name:
        return _ask_name(request, await request.form())
    try:
        decided = await run_in_threadpool(_keep, service(request), wanted)
    except DecidedMeanwhile as meanwhile:
        return await run_in_threadpool(_meanwhile, request, wanted, meanwhile)
    except (BadReview, UnknownObject) as error:
        if len(wanted.seen) > 1:
            raise
        said, _ = at_desk(str(error))
        said = said.replace("by --object", "below").replace("by --reason", "below").replace("--object", "object")
        show = partial(verdict_page, status=422, problem=said, typed=wanted.typed)
        return await run_in_threadpool(show, request, wanted.numbers[0], wanted.asked)
    if decided.numbers:
        remember(request, Batch(decided.numbers[0], decided.numbers[-1], _words(wanted)))
        about = {"decision": wanted.decision, "object": wanted.object_id or None, "reason": wanted.reason}
        note(request, "decided", verdicts=wanted.numbers, reviews=list(decided.numbers), **about)
    return _go_on(request, wanted, None if wanted.many else wanted.numbers[0])


def _words(wanted: Wanted) -> str:
    """Return what was decided, in a few words."""
    count = len(wanted.seen)
    what = f"verdict {wanted.numbers[0]}" if count == 1 else f"{count} verdicts"
    return f"{what} {'accepted' if wanted.decision == ACCEPT else f'overruled: {wanted.decision}'}"


def _keep(desk: Service, wanted: Wanted) -> Decided:
    object_id = None
    if wanted.object_id:
        with Catalogue.reading(desk.data) as catalogue:
            object_id = catalogue.object(wanted.object_id).object_id
    with VerdictLog.reading(desk.data) as log:
        proposals = []
        for number, seen in wanted.seen:
            entry = log.entry(number)
            proposals.append(Proposal(entry, _review(entry, wanted, object_id), seen))
        return decide(log, proposals)


def _review(entry: LogEntry, wanted: Wanted, object_id: str | None) -> Review:
    """Return the review that is wanted of a verdict; of many, those that say so already are accepted."""
    if wanted.decision == ACCEPT or (wanted.many and wanted.decision == entry.outcome):
        return accepting(entry, name=wanted.name, reason=wanted.reason)
    outcome = Outcome(wanted.decision)
    return overruling(entry, outcome, object_id=object_id, name=wanted.name, reason=wanted.reason)


def _withdraw(desk: Service, numbers: range, name: str, reason: str) -> list[int]:
    """Take back those of some reviews that were made in the name of the first: what others decided meanwhile stays."""
    sql = """SELECT number FROM held WHERE number BETWEEN :first AND :last
             AND name = (SELECT name FROM reviews WHERE number = :first)"""
    with VerdictLog.reading(desk.data) as log:
        found = log.db.execute(sql, {"first": numbers[0], "last": numbers[-1]}).fetchall()
        return withdraw(log, [number for (number,) in found], name=name, reason=reason)


def _ask_name(request: Request, form: FormData) -> Response:
    """Ask who decides, and keep all else that the form held."""
    fields = [(name, str(value)) for name, value in form.multi_items() if name not in ("csrf", "name")]
    return page(
        request,
        "who_decides.html",
        tab="queue",
        status=422,
        fields=fields,
        target=below(request, path_of(request.scope)),
    )


def _meanwhile(request: Request, wanted: Wanted, meanwhile: DecidedMeanwhile) -> Response:
    """Show who decided what meanwhile, and ask whether to decide all the same."""
    newer = {item.proposal.entry.number: item for item in meanwhile.items}
    seen = [(number, newer[number].last if number in newer else last) for number, last in wanted.seen]
    note(request, "was told of decisions made meanwhile", verdicts=list(newer))
    return page(
        request, "meanwhile.html", tab="queue", status=409, wanted=wanted, items=meanwhile.items, seen=seen,
        words=_words(wanted), target=below(request, path_of(request.scope)), shown=shown,
    )  # fmt: skip


def _overview(request: Request, wanted: Wanted, *, every: bool) -> Response:
    desk = service(request)
    with VerdictLog.reading(desk.data) as log, Catalogue.reading(desk.data) as catalogue:
        numbers = wanted.numbers
        if every:
            which = wanted.asked.filter(desk.data)
            numbers = list(read_page(log, which, wanted.asked.order, size=MOST).numbers)
        cards = cards_of(log, catalogue, numbers)
    if not cards:
        raise Refused(422, "No verdict was chosen. Go back, and choose some.")
    able = [card for card in cards if not _hindrance(card, wanted)]
    seen = {card.entry.number: card.seen for card in able} | dict(wanted.seen)  # by the page on which it was chosen
    return page(
        request, "overview.html", tab="queue", wanted=wanted, cards=able, seen=seen, ACCEPT=ACCEPT,
        unable=[(card, why) for card in cards if (why := _hindrance(card, wanted))],
        counted=Counter(card.entry.outcome for card in able),
        same=sum(card.entry.outcome == wanted.decision for card in able),
    )  # fmt: skip


def _hindrance(card: VerdictCard, wanted: Wanted) -> str:
    """Return why what is wanted cannot be decided on a verdict; empty where it can."""
    entry = card.entry
    of_an_object = wanted.decision in OF_AN_OBJECT and entry.outcome != wanted.decision
    if of_an_object and (entry.object_id is None or entry.outcome == Outcome.NO_MATCH):
        return "it names no object: decide on it by itself, and name one"
    return ""


def _go_on(request: Request, wanted: Wanted, number: object) -> Response:
    """Return to where somebody decided, or on to what waits next."""
    query = f"?{wanted.asked.query}" if wanted.asked.query else ""
    if wanted.back == "verdict" and number:
        return RedirectResponse(link_to(request, "verdict", number=_number(number)) + query, 303)
    if wanted.back.startswith("next:"):
        return RedirectResponse(link_to(request, "verdict", number=_number(wanted.back[5:])) + query, 303)
    return RedirectResponse(link_to(request, "queue") + query, 303)


ROUTES = (
    Route("/verdicts/{number:int}/decide", decide_one, methods=["POST"], name="decide"),
    Route("/queue/overview", look_over, methods=["POST"], name="look_over"),
    Route("/queue/decide", decide_many, methods=["POST"], name="decide_many"),
    Route("/reviews/undo", undo, methods=["POST"], name="undo"),
)
