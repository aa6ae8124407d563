"""Say of one work on a photograph what it is, with what the register says of the object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from retrieval.catalogue.standing import Register, RegisterEntry
from retrieval.catalogue.status_words import ALERTING, Status
from retrieval.finding.match import Match
from retrieval.finding.sightings import Sighting
from retrieval.judging.decision import Basis, Decision, decide
from retrieval.outcome import OF_AN_OBJECT, Outcome

ComparedWith = Callable[[str], Match | None]


class Certainty(StrEnum):
    """How sure it is that a photograph shows what an alert is about, and not a copy of it."""

    CONSISTENT = "consistent"  # as near as the genuine object is
    UNDECIDED = "undecided"  # it shows that work; original or copy is not decided


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
    certainty: Certainty | None = None  # of the alert
    entry: RegisterEntry | None = None  # of the object that the alert is about, which may not be the best match
    lead: RegisterEntry | None = None  # of an object that is near and stolen, but not registered: no alert
    forgery: Match | None = None  # a known forgery of that object, which the photograph was compared with too
    sighting: Sighting | None = None  # how a work looks that is of no object
    seen: tuple[int, ...] = ()  # verdicts on the same work in earlier screenings


def meant(matches: Sequence[Match], k: int, register: Register) -> tuple[Match, ...]:
    """Return the k best of some matches, and what is stolen or missing and registered, however many were asked for."""
    others = (match for match in matches[k:] if match.registered and register.is_wanted(match.object_id))
    return (*matches[:k], *others)


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
    work = _alerted(work, matches, register)
    if work.alert is None and poor is None:
        work = _with_lead(work, basis, register)
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
    return replace(work, forgery=forgery)


def _alerted(work: Work, matches: Sequence[Match], register: Register) -> Work:
    """Return a work with the alert that any stolen or missing object raises which lies on it, whatever the outcome.

    A double of the stolen work may be the better match. What shows a known forgery is said to show that.
    """
    consistent = work.decision.outcome is Outcome.CONSISTENT
    best = work.matches[0].object_id if work.matches else None
    shown = {match.object_id: None for match in (*work.matches, *matches) if match.registered}
    if best is not None and consistent:
        shown = {best: None} | shown
    wanted = sorted(filter(register.is_wanted, shown), key=lambda key: _loudness(register.standing(key).status))
    if not wanted:
        return replace(work, entry=register.entry(work.forgery.object_id)) if work.alert and work.forgery else work
    object_id, status = wanted[0], register.standing(wanted[0]).status
    certainty = Certainty.CONSISTENT if consistent and object_id == best else Certainty.UNDECIDED
    said = f"{object_id} is registered as {status}"
    if certainty is Certainty.UNDECIDED:
        said += ", and the photograph shows it; original or copy undecided"
    reasons = (said, *work.decision.reasons)
    if work.alert is not None:  # a known forgery, of a stolen work
        entry = register.entry(work.forgery.object_id) if work.forgery else None
        return replace(work, decision=replace(work.decision, reasons=(*work.decision.reasons, said)), entry=entry)
    return replace(
        work,
        decision=replace(work.decision, reasons=reasons),
        alert=status,
        certainty=certainty,
        entry=register.entry(object_id),
    )


def _loudness(status: Status | None) -> int:
    return ALERTING.index(status) if status in ALERTING else len(ALERTING)


def _with_lead(work: Work, basis: Basis, register: Register) -> Work:
    """Return a work with the lead that a stolen or missing object is which is near, though nothing lies on the work."""
    limit = basis.thresholds.match.value if basis.thresholds else None
    if limit is None or any(match.registered for match in work.matches):
        return work
    near = (match for match in work.matches if match.distance <= limit and register.is_wanted(match.object_id))
    lead = next(near, None)
    if lead is None:
        return work
    said = (
        f"a lead, no alert: {lead.object_id}, registered as {register.standing(lead.object_id).status}, is near at "
        f"{lead.distance:.3f}, but cannot be laid over the photograph"
    )
    decision = replace(work.decision, reasons=(*work.decision.reasons[:1], said, *work.decision.reasons[1:]))
    return replace(work, decision=decision, lead=register.entry(lead.object_id))


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
        certainty=Certainty.CONSISTENT,
        forgery=forgery,
    )
