"""Say of one work on a photograph what it is, with what the register says of the object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.decision import Basis, Decision, Outcome, decide
from retrieval.divergence import Divergence
from retrieval.registers import ALERTING, Register, Status
from retrieval.registration import Registration
from retrieval.search import Match

ComparedWith = Callable[[str], Match | None]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One work on a photograph: where it is, what it is, and what the register says of that.

    `region` is x, y, width and height in pixels of the upright photograph, `outline` a convex polygon (n, 2) in it.
    """

    region: tuple[int, int, int, int]
    decision: Decision
    matches: tuple[Match, ...]
    outline: np.ndarray | None = None  # None: not registered
    status: str = ""  # of the best match, as the catalogue has it
    alert: Status | None = None  # what stands above the outcome
    forgery: Match | None = None  # a known forgery of that object, which the photograph was compared with too


@dataclass(frozen=True, slots=True)
class _Settled:
    decision: Decision
    matches: tuple[Match, ...]
    alert: Status | None = None
    forgery: Match | None = None


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

    `compared_with` compares the photograph with one more object, None where that is not catalogued.
    """
    settled = _settled(tuple(matches), basis, register, poor, compared_with)
    status = register.standing(settled.matches[0].object_id).text if settled.matches else ""
    return Work(region, settled.decision, settled.matches, outline, status, settled.alert, settled.forgery)


def _settled(
    matches: tuple[Match, ...], basis: Basis, register: Register, poor: str | None, compared_with: ComparedWith
) -> _Settled:
    decision = decide(matches, basis, poor=poor)
    if not matches or poor is not None or not _is_of(matches[0], decision):
        return _Settled(decision, matches)
    genuine, forgery = _both(matches[0], register, compared_with)
    if forgery is not None and _shows(forgery, genuine, basis):
        return _known(matches, genuine, forgery, basis)
    if genuine is not None and genuine.object_id != matches[0].object_id:  # it is no photograph of the forgery
        others = [match for match in matches if match.object_id != genuine.object_id]
        matches = (genuine, *others)[: len(matches)]
        decision = decide(matches, basis)
    standing = register.standing(matches[0].object_id)
    if standing.status not in ALERTING:
        return _Settled(decision, matches, None, forgery)
    reasons = (f"{matches[0].object_id} is registered as {standing.status}", *decision.reasons)
    alert = standing.status if decision.outcome is Outcome.CONSISTENT else None
    return _Settled(replace(decision, reasons=reasons), matches, alert, forgery)


def _is_of(best: Match, decision: Decision) -> bool:
    """Say whether a photograph was held to show its best match, or may well do so."""
    if decision.outcome in (Outcome.CONSISTENT, Outcome.DIVERGENT):
        return True
    return decision.outcome is Outcome.INCONCLUSIVE and isinstance(best.registration, Registration)


def _both(best: Match, register: Register, compared_with: ComparedWith) -> tuple[Match | None, Match | None]:
    """Return the genuine object and the known forgery that a photograph may show, as far as there are any."""
    if register.is_forgery(best.object_id):
        genuine = register.standing(best.object_id).forgery_of
        found = compared_with(genuine) if genuine is not None else None
        return (found if found is not None and isinstance(found.registration, Registration) else None), best
    known = [compared_with(object_id) for object_id in register.forgeries.get(best.object_id, ())]
    registered = [match for match in known if match is not None and isinstance(match.registration, Registration)]
    return best, min(registered, key=_closeness, default=None)


def _closeness(match: Match) -> tuple[bool, float]:
    """Return what is smaller for the nearer of two matches: one that was compared place by place is."""
    compared = isinstance(match.divergence, Divergence)
    return not compared, _decisive(match)


def _decisive(match: Match) -> float:
    return match.divergence.combined_distance if isinstance(match.divergence, Divergence) else match.distance


def _shows(forgery: Match, genuine: Match | None, basis: Basis) -> bool:
    """Say whether a photograph shows the known forgery rather than the genuine object."""
    if decide([forgery], basis).outcome is not Outcome.CONSISTENT:
        return False
    return genuine is None or _closeness(forgery) < _closeness(genuine)


def _known(matches: tuple[Match, ...], genuine: Match | None, forgery: Match, basis: Basis) -> _Settled:
    """Return the flag that a known forgery is: divergent from the genuine object, with both distances."""
    to_it = f"the photograph shows the known forgery {forgery.object_id}, at distance {_decisive(forgery):.3f}"
    if genuine is None:
        said = f"{to_it}; it is not registered to a genuine exemplar"
    else:
        said = f"{to_it}, and the genuine {genuine.object_id} is at {_decisive(genuine):.3f}"
    _, *why = decide([genuine or forgery], basis).reasons
    rest = [match for match in matches if match.object_id not in (forgery.object_id, genuine and genuine.object_id)]
    first = [match for match in (genuine, forgery) if match is not None]
    decision = Decision(Outcome.DIVERGENT, (said, *why))
    return _Settled(decision, (*first, *rest)[: max(len(matches), 1)], Status.KNOWN_FORGERY, forgery)
