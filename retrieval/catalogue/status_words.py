"""Understand what is written as the status of an object, in five languages, and say what is doubtful in it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("status_words.toml")
LONG = 6  # letters from which on a word with one slip is still that word: stollen, gestolen, misssing
REACH = 2  # words between a denial and what it denies, at most: `not yet been recovered`


class Status(StrEnum):
    """What an object's `status` may be; any other text is shown as it is and means nothing more."""

    KNOWN_FORGERY = "known forgery"
    STOLEN = "stolen"
    MISSING = "missing"
    SOLD = "sold"
    IN_COLLECTION = "in collection"


ALERTING = (Status.STOLEN, Status.MISSING)  # of a genuine object, when a photograph is consistent with it
ALARMS = (*ALERTING, Status.KNOWN_FORGERY)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text means as a status, and what makes that doubtful."""

    status: Status | None = None
    doubt: str = ""


def understood(text: str) -> Understood:
    """Return what a text means as a status: `Stolen (2003)`, `gestohlen`, `volé`, `stollen` mean stolen.

    An alarm that is denied, or was undone, as `stolen, recovered 2011`, is no alarm but a doubt.
    """
    words = _words(text)
    for status in Status:
        table = _table()[status]
        if places := [
            *_places(words, table["words"]),
            *([(0, 1)] if " ".join(words) in table.get("alone", ()) else []),
        ]:
            return _weighed(text, words, status, places)
    for status in ALARMS:
        for place, word in enumerate(words):
            if near := next((known for known in _table()[status]["words"] if _is_near(word, known)), None):
                found = _weighed(text, words, status, [(place, place + 1)])
                return Understood(found.status, found.doubt or f"{text!r} is taken for {near!r}")
    is_near = _places(words, _table()["around"]["near"])
    return Understood(None, f"{text!r} is near an alarm, but raises none") if is_near else Understood()


def _weighed(text: str, words: Sequence[str], status: Status, places: Sequence[tuple[int, int]]) -> Understood:
    """Return a status whose words stand at some places, unless what stands around them makes it none."""
    around = _table()["around"]
    if status not in ALARMS:
        return Understood(status)
    denied = all(_is_denied(words, start) for start, _ in places)
    undone = any(not _is_denied(words, start) for start, _ in _places(words, around["undone"]))
    suspected = "?" in text or bool(_places(words, around["suspected"]))
    if denied or undone or (status is Status.KNOWN_FORGERY and suspected):
        return Understood(None, f"{text!r} raises no alarm")
    return Understood(status)


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def _words(text: str) -> list[str]:
    """Return the words of a text without accents and case."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return re.sub(r"[\W_]+", " ", letters).split()


def _places(words: Sequence[str], phrases: Iterable[str]) -> list[tuple[int, int]]:
    """Return where phrases stand among words: the place of the first word of each, and that after its last."""
    found = []
    for phrase in phrases:
        parts = phrase.split()
        found += [
            (place, place + len(parts))
            for place in range(len(words) - len(parts) + 1)
            if list(words[place : place + len(parts)]) == parts
        ]
    return found


def _is_denied(words: Sequence[str], place: int) -> bool:
    before = words[max(0, place - REACH - 1) : place]
    return bool(_places(before, _table()["around"]["denied"]))


def _is_near(word: str, known: str) -> bool:
    """Say whether one letter more, less, other, or two exchanged make one word of another, both of some length."""
    if min(len(word), len(known)) < LONG or abs(len(word) - len(known)) > 1 or " " in known:
        return False
    start = next((place for place, pair in enumerate(zip(word, known, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return len(word) != len(known)
    one, other = word[start:], known[start:]
    swapped = other[1:2] + other[:1] + other[2:]
    return one[1:] == other or one == other[1:] or one[1:] == other[1:] or one == swapped
