"""Say of a work, for a client, in one sentence what it is; then how sure that is, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cli.records.artifact_1 import DivergenceRecord, MatchRecord, PhotographRecord, TogetherRecord, WorkRecord
from cli.records.triage import claim_fails, deciding, is_settled, names_nothing, shows_object, together_with
from retrieval.catalogue.status_words import ALERTING, Status
from retrieval.outcome import Outcome

MOST_NAMED = 3  # positions in a sentence
_HELP = re.compile(r"(?:^|[:;,] )([^:;,]*) would help")
LOOK = "Look there on the object, beside the exemplar: a copy, a change, damage and a reflection can look alike."
PROVISIONAL = "provisional"  # begins a reason


@dataclass(frozen=True, slots=True)
class ClientWords:
    """What is said of a work: what it is, how sure that is, and what to do; each a sentence or two."""

    what: str
    sure: str
    then: str


def client_words(record: PhotographRecord, work: WorkRecord | None) -> ClientWords:
    """Return what to tell a client of a work; of the photograph itself where it is unreadable (no work)."""
    if work is None:
        return unreadable_words(record["error"] or "")
    said = ClientWords(_what(work), _sure(work), _then(record, work))
    if (whole := together_with(record, work)) is not None:
        said = _of_a_lot(said, work, whole)
    if is_settled(work) and not work["alert"]:
        return ClientWords(said.what, said.sure, "Nothing: a person has decided on it.")
    return said


def unreadable_words(why: str) -> ClientWords:
    """Return what to tell of a photograph that could not be read."""
    return ClientWords("The file cannot be read as a photograph.", sentence(why), "Ask for it anew.")


def _of_a_lot(said: ClientWords, work: WorkRecord, whole: TogetherRecord) -> ClientWords:
    """Return what is said of a work that other photographs show too, and that was judged together with them."""
    count, limit = len(whole["photos"]), whole["combined_threshold"]
    side = "beyond" if whole["combined"] > limit else "within"
    sure = f"{said.sure} {count} photographs together: {whole['combined']:.3f}, {side} {limit:.3f}."
    what = f"{said.what.removesuffix('.')}, on this photograph, but"
    if (work["outcome"], whole["outcome"]) == (Outcome.DIVERGENT, Outcome.CONSISTENT):
        return ClientWords(f"{what} not on all {count} together.", sure, said.then)
    if whole["outcome"] == Outcome.DIVERGENT != work["outcome"] and shows_object(work) and not work["alert"]:
        return ClientWords(f"{what} something does on all {count} together.", sure, LOOK)
    return replace(said, sure=sure)


def places_words(divergence: DivergenceRecord) -> str:
    """Return where two pictures differ, in words of position, the worst first."""
    beyond = [place for place in divergence["places"] if place["distance"] >= divergence["threshold"] - 1e-6]
    named = list(dict.fromkeys(where for place in beyond or divergence["places"][:1] if (where := place.get("where"))))
    if len(named) > MOST_NAMED:
        return "in many places"
    *first, last = named or ["somewhere"]
    return f"{', '.join(first)} and {last}" if first else last


def _what(work: WorkRecord) -> str:
    best = work["matches"][0] if work["matches"] else None
    if work["alert"] == Status.KNOWN_FORGERY and work["forgery"]:
        return f"The same picture as the known forgery {work['forgery']['object_id']}."
    if work["outcome"] == Outcome.NO_MATCH:
        return "A work that is not in the catalogue, which is no sign of a forgery."
    if best is None or not shows_object(work):
        return "Nothing can be said of it by this photograph."
    return _what_of(work["outcome"], best)


def _what_of(outcome: str, best: MatchRecord) -> str:
    name, registered, divergence = best["object_id"], best["registration"], best["divergence"]
    same = f"The same picture as {name}{', mirrored' if registered and registered['mirrored'] else ''}"
    if outcome == Outcome.CONSISTENT:
        return (
            f"{same}; nothing that differs was found." if divergence else f"As near to {name} as a genuine photograph."
        )
    if outcome == Outcome.DIVERGENT and divergence:
        return f"{same}; something differs, {places_words(divergence)}."
    if outcome == Outcome.DIVERGENT:
        return f"It resembles {name}, but less than a genuine photograph does."
    return (
        f"{same}; whether anything differs cannot be said." if registered else f"It may be {name}; that cannot be said."
    )


def _sure(work: WorkRecord) -> str:
    """Return how sure a verdict is: the distance that decided with its threshold, and what stands behind that."""
    if work["outcome"] == Outcome.INCONCLUSIVE or not work["matches"]:
        return sentence(work["reasons"][0]) if work["reasons"] else ""
    best = work["matches"][0]
    name, judged = deciding(best)
    unknown = work["outcome"] == Outcome.NO_MATCH
    limit = judged["match_threshold"] if unknown else judged["authenticity_threshold"]
    if limit is None:
        return without_threshold(name, judged["distance"])
    said = beside_threshold(name, judged["distance"], limit)
    if stability := best["stability"]:
        said += f", and {stability['least']:.3f} to {stability['most']:.3f} when measured again"
    return f"{said}. The threshold is provisional." if is_provisional(work["reasons"]) else f"{said}."


def without_threshold(name: str, distance: float) -> str:
    """Return a distance that nothing judges, as a sentence."""
    return f"The {name} distance is {distance:.3f}; there is no threshold for it."


def beside_threshold(name: str, distance: float, limit: float) -> str:
    """Return on which side of its threshold a distance lies; the sentence may go on."""
    side = "beyond" if distance > limit else "within"
    return f"The {name} distance {distance:.3f} is {side} its threshold {limit:.3f}"


def is_provisional(reasons: Iterable[str]) -> bool:
    """Say whether reasons name a provisional threshold."""
    return any(reason.startswith(PROVISIONAL) for reason in reasons)


def _then(record: PhotographRecord, work: WorkRecord) -> str:
    if (entry := work["register_entry"]) and work["alert"] in ALERTING:
        return hold_back(entry["authority"], entry["contact"])
    if work["outcome"] == Outcome.DIVERGENT:
        if work["alert"] == Status.KNOWN_FORGERY:
            return "Take it for the forgery until a person has examined the object."
        compared = work["matches"] and work["matches"][0]["divergence"]
        return LOOK if compared else "Compare the two by eye; a larger photograph, straight on, would show more."
    if work["outcome"] == Outcome.INCONCLUSIVE:
        return ask_for_help(work["reasons"])
    if names_nothing(record) or claim_fails(record, work):
        return "Ask what it is that the lot is said to be."
    return "Nothing stands out."


def hold_back(authority: str, contact: str) -> str:
    """Return what to do with a work that is registered as stolen or missing."""
    whom = ", ".join(part for part in (authority, contact) if part) or "whoever registered it"
    return f"Hold it back, and tell {whom}."


def ask_for_help(reasons: Iterable[str]) -> str:
    """Return what to ask for where nothing can be said, by the reasons for that."""
    found = next((match[1] for reason in reasons if (match := _HELP.search(reason))), None)
    return f"Ask for {found}." if found else "A person has to look at it."


def sentence(text: str) -> str:
    """Return a text as a sentence; nothing stays nothing."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""
