"""Understand what is written as the status of an object, in five languages, and say what is doubtful in it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

WORDS = Path(__file__).with_name("status_words.toml")
LONG = 6  # letters from which on a word with one slip is still that word: stollen, gestolen, misssing
REACH = 2  # words between a denial and the alarm that it denies, at most: `has never been reported stolen`
STOP = "|"
YEAR = re.compile(r"\d{4}")
Span = tuple[int, int]  # where a phrase begins among words, and where the next word stands


class Status(StrEnum):
    """What an object's `status` may be; any other text is shown as it is and means nothing more."""

    KNOWN_FORGERY = "known forgery"
    STOLEN = "stolen"
    MISSING = "missing"
    SOLD = "sold"
    IN_COLLECTION = "in collection"


ALERTING = (Status.STOLEN, Status.MISSING)  # of a genuine object, when a photograph shows it, the loudest first
ALARMS = (*ALERTING, Status.KNOWN_FORGERY)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text means as a status, and what makes that doubtful."""

    status: Status | None = None
    doubt: str = ""


@lru_cache(maxsize=100_000)  # a table says the same of many objects
def understood(text: str) -> Understood:
    """Return what a text means as a status: `Stolen (2003)`, `gestohlen`, `volé`, `stollen` mean stolen.

    An alarm that is denied, or was undone, as `stolen, recovered 2011`, is no alarm but a doubt; one that perhaps was
    undone, as `stolen; frame recovered`, is an alarm with a doubt.
    """
    words = _words(text)
    meant = {
        status: _weighed(text, words, status, places)
        for status in Status
        if (places := _places(words, status) or _alone(words, status))
    }
    if meant:
        raised = [status for status in meant if status in ALARMS and meant[status].status is not None]
        if Status.KNOWN_FORGERY in raised and len(raised) > 1:
            return Understood(raised[0], f"{text!r} may mean {raised[1]}, but is taken for {raised[0]}")
        return meant[raised[0]] if raised else next(iter(meant.values()))
    for place, word in enumerate(words):
        if (near := _near(word)) is not None:
            status, known = near
            weighed = _weighed(text, words, status, [place])
            return Understood(weighed.status, weighed.doubt or f"{text!r} is taken for {known!r}")
    is_near = bool(_places(words, "near"))
    return Understood(None, f"{text!r} is near an alarm, but raises none") if is_near else Understood()


def _weighed(text: str, words: Sequence[str], status: Status, places: Sequence[int]) -> Understood:
    """Return a status whose words stand at some places, unless what stands around them makes it none."""
    if status not in ALARMS:
        return Understood(status)
    denied = all(_is_denied(words, place) for place in places)
    undone = [span for span in _spans(words, "undone") if not _is_denied(words, span[0], reach=len(words))]
    alarm_ends = max((end for _, end in _spans(words, status)), default=places[-1] + 1)
    over = any(_is_over(words, span, alarm_ends) for span in undone)
    suspected = "?" in text or bool(_places(words, "suspected"))
    if denied or over or (status is Status.KNOWN_FORGERY and suspected):
        return Understood(None, f"{text!r} raises no alarm")
    return Understood(status, f"{text!r} may be undone, but is taken for {status}" if undone else "")


def _is_over(words: Sequence[str], undone: Span, alarm_ends: int) -> bool:
    """Say whether an alarm was undone as a whole: after it, by itself, and at the end or with a year."""
    start, end = undone
    breaks = (place for place, word in enumerate(words[:start], 1) if word == STOP or YEAR.fullmatch(word))
    before = words[max(alarm_ends, *breaks, 0) : start]
    rest = words[end : words.index(STOP, end) if STOP in words[end:] else len(words)]
    is_settled = any(map(YEAR.fullmatch, rest)) or set(words[end:]) <= {STOP}
    return start >= alarm_ends and is_settled and all(word in _phrases("linking") for word in before)


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


@cache
def _phrases(kind: str) -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the phrases of a status, or of what may stand around one, as words, by the first of them."""
    found: dict[str, list[list[str]]] = {}
    for phrase in _table()[kind]["words"] if kind in _table() else _table()["around"][kind]:
        found.setdefault(phrase.split()[0], []).append(phrase.split())
    return found


def _words(text: str) -> list[str]:
    """Return the words of a text without accents and case, with STOP where a part of a sentence ends."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return re.findall(rf"[^\W_]+|{re.escape(STOP)}", re.sub(r"([,;:()\[\]|\n]|\.(?!\d))+", STOP, letters))


def _places(words: Sequence[str], kind: str) -> list[int]:
    """Return where phrases of a kind begin among words."""
    return [start for start, _ in _spans(words, kind)]


def _spans(words: Sequence[str], kind: str) -> list[Span]:
    """Return where phrases of a kind begin among words, and where the longest there ends."""
    phrases = _phrases(kind)
    found = []
    for place, word in enumerate(words):
        fit = [len(parts) for parts in phrases.get(word, ()) if words[place : place + len(parts)] == parts]
        if fit:
            found.append((place, place + max(fit)))
    return found


def _alone(words: Sequence[str], status: Status) -> list[int]:
    written = [word for word in words if word != STOP]
    return [0] if len(written) == 1 and written[0] in _table()[status].get("alone", ()) else []


def _is_denied(words: Sequence[str], place: int, *, reach: int = REACH) -> bool:
    """Say whether a denial stands before a place, in the same part of the sentence: `not for sale, stolen` is none."""
    before = words[max(0, place - reach - 1) : place]
    start = max((at for at, word in enumerate(before, 1) if word == STOP), default=0)
    return bool(_places(before[start:], "denied"))


@cache
def _long_words() -> Mapping[tuple[str, str], Sequence[tuple[Status, str]]]:
    """Return the long words of alarms by their first and by their last letter: one slip spares one of the two."""
    found: dict[tuple[str, str], list[tuple[Status, str]]] = {}
    for status in ALARMS:
        for word in _table()[status]["words"]:
            if len(word) >= LONG and " " not in word:
                found.setdefault((word[0], ""), []).append((status, word))
                found.setdefault(("", word[-1]), []).append((status, word))
    return found


@lru_cache(maxsize=100_000)
def _near(word: str) -> tuple[Status, str] | None:
    """Return the alarm that a word is one slip away from, and its word."""
    if len(word) < LONG:
        return None
    known = (*_long_words().get((word[0], ""), ()), *_long_words().get(("", word[-1]), ()))
    return next((item for item in known if _is_near(word, item[1])), None)


def _is_near(word: str, known: str) -> bool:
    """Say whether one letter more, less, other, or two exchanged make one word of another."""
    if abs(len(word) - len(known)) > 1:
        return False
    start = next((place for place, pair in enumerate(zip(word, known, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return len(word) != len(known)
    one, other = word[start:], known[start:]
    swapped = other[1:2] + other[:1] + other[2:]
    return one[1:] == other or one == other[1:] or one[1:] == other[1:] or one == swapped
