"""Say of one work on a photograph what it is, with what the register says of the object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.catalogue.standing import Register
from retrieval.catalogue.status_words import ALERTING, Status
from retrieval.finding.match import Match
from retrieval.finding.sightings import Sighting
from retrieval.judging.decision import Basis, Decision, decide
from retrieval.outcome import OF_AN_OBJECT, Outcome

ComparedWith = Callable[[str], Match | None]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One work on a photograph: where it is, what it is, and what the register says of the object.

    `region` is x, y, width and height in pixels of the upright photograph, `outline` a convex polygon (n, 2) in it.
    """

    region: tuple[int, int, int, int]
    decision: Decision
    matches: tuple[Match, ...]
    outline: np.ndarray | None = None  # None: not registered
    status: str = ""  # of the best match, as the catalogue has it
    alert: Status | None = None  # what stands above the outcome
    forgery: Match | None = None  # a known forgery of that object, which the photograph was compared with too
    sighting: Sighting | None = None  # how a work looks that is of no object
    seen: tuple[int, ...] = ()  # verdicts on the same work in earlier screenings


def settle(
    region: tuple[int, int, int, int],
    outline: np.ndarray | None,
    matches: Sequence[Match],
    basis: Basis,
    register: Register,
    *,
    poor: str | None,
    compared_with: ComparedWith,
) -> Work:
    """Return the work that a region of a photograph shows, given its matches, best first.

    `compared_with` compares the photograph with one more object, None where that object is not catalogued.
    """
    work = Work(region, decide(matches, basis, poor=poor), tuple(matches), outline)
    if matches and poor is None and _is_of(matches[0], work.decision):
        work = _settled(work, basis, register, compared_with)
    if not matches or work.decision.outcome is Outcome.NO_MATCH:  # an unknown work has no status
        return work
    return replace(work, status=register.standing(work.matches[0].object_id).text)


def _settled(work: Work, basis: Basis, register: Register, compared_with: ComparedWith) -> Work:
    """Return a work that shows its best match, with what the register says of that object."""
    genuine, forgery = _both(work.matches[0], register, compared_with)
    if forgery is not None and _shows(forgery, genuine, basis):
        return _known(work, genuine, forgery, basis)
    if (
        genuine is not None and genuine.object_id != work.matches[0].object_id
    ):  # the photograph does not show the forgery
        others = [match for match in work.matches if match.object_id != genuine.object_id]
        matches = (genuine, *others)[: len(work.matches)]
        work = replace(work, matches=matches, decision=decide(matches, basis))
    if forgery is not None and forgery.without_exemplar and work.decision.outcome is Outcome.CONSISTENT:
        unknown = (
            f"whether it is the known forgery {forgery.object_id} cannot be said: {forgery.without_exemplar.reason}"
        )
        work = replace(work, decision=Decision(Outcome.INCONCLUSIVE, (unknown, *work.decision.reasons)))
    work = replace(work, forgery=forgery)
    object_id, decision = work.matches[0].object_id, work.decision
    standing = register.standing(object_id)
    if standing.status not in ALERTING:
        return work
    reasons = (f"{object_id} is registered as {standing.status}", *decision.reasons)
    alert = standing.status if decision.outcome is Outcome.CONSISTENT else None
    return replace(work, decision=replace(decision, reasons=reasons), alert=alert)


def _is_of(best: Match, decision: Decision) -> bool:
    """Say whether a photograph was held to show its best match, or may well do so."""
    if decision.outcome in OF_AN_OBJECT:
        return True
    return decision.outcome is Outcome.INCONCLUSIVE and best.registered is not None


def _both(best: Match, register: Register, compared_with: ComparedWith) -> tuple[Match | None, Match | None]:
    """Return the genuine object and the known forgery that a photograph may show, as far as there are any."""
    if register.is_forgery(best.object_id):
        genuine = register.standing(best.object_id).forgery_of
        found = compared_with(genuine) if genuine is not None else None
        return (found if found is not None and found.registered else None), best
    known = [compared_with(object_id) for object_id in register.forgeries.get(best.object_id, ())]
    registered = [match for match in known if match is not None and match.registered]
    return best, min(registered, key=_closeness, default=None)


def _closeness(match: Match) -> tuple[bool, float]:
    """Return what is smaller for the nearer of two matches; one compared place by place comes first."""
    return match.compared is None, match.decisive


def _shows(forgery: Match, genuine: Match | None, basis: Basis) -> bool:
    """Say whether a photograph shows the known forgery rather than the genuine object."""
    if decide([forgery], basis).outcome is not Outcome.CONSISTENT:
        return False
    return genuine is None or _closeness(forgery) < _closeness(genuine)


def _known(work: Work, genuine: Match | None, forgery: Match, basis: Basis) -> Work:
    """Return the flag that a known forgery is: divergent from the genuine object, with both distances."""
    to_it = f"the photograph shows the known forgery {forgery.object_id}, at distance {forgery.decisive:.3f}"
    if genuine is None:
        said = f"{to_it}; it is not registered to a genuine exemplar"
    else:
        said = f"{to_it}, and the genuine {genuine.object_id} is at {genuine.decisive:.3f}"
    _, *why = decide([genuine or forgery], basis).reasons
    first = [match for match in (genuine, forgery) if match is not None]
    rest = [match for match in work.matches if match.object_id not in {one.object_id for one in first}]
    return replace(
        work,
        decision=Decision(Outcome.DIVERGENT, (said, *why)),
        matches=(*first, *rest)[: len(work.matches)],
        alert=Status.KNOWN_FORGERY,
        forgery=forgery,
    )
