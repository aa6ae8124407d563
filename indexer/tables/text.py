"""Tell the encoding of a table, and refuse rather than guess one that spoils accents."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

from retrieval.errors import BadTable

MARKS = (  # the longer first: one mark begins with another
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets and databases write beside Unicode. Of 70 short tables in five languages, in tests/indexer/
# test_text.py, charset-normalizer 3.5 takes 52 for another encoding; what follows takes none, and refuses one.
OLD = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "MS-DOS"}
CLEARLY = 0.5  # points by which one encoding must be ahead of the next
SAMPLE = 1 << 20  # bytes that are looked at for an encoding
ANYWHERE = set("äöüßéèëáíóúñç")  # letters of English, German, French, Spanish and Italian, by their place in a word
AT_THE_END, NOT_AT_THE_END = set("àìòù"), set("âêîôûïæ")
ALONE = set("àáèéòóÀÁÈÉ")  # words of one letter
ELISION = re.compile(r"(?:^|[^\w])(?:[cdjlmnst]|qu|all|dall|dell|nell|sull|un)$", re.IGNORECASE)
TWICE = re.compile("[ÃÂ][\u0080-\u00bf\u2013-\u203a€™šžœŸ]")  # UTF-8 that was taken for Windows-1252
OPENING, CLOSING, DASHES, SIGNS = "“„‘«‹¿¡", "”’»›", "–—…", "°©®²³½¼¾×€£§·•™ª\u00a0"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and the name of its encoding where that had to be told from the text itself."""

    text: str
    guessed: str = ""

    @property
    def spoilt(self) -> str:
        """An accent that a program before this one read wrongly, as `Ã©`; empty where there is none."""
        found = next((match[0] for match in TWICE.finditer(self.text)), "")
        try:
            return found if found.encode("cp1252").decode("utf-8") else ""
        except UnicodeError:
            return ""


def decode(data: bytes, name: str) -> Decoded:
    """Return the text of a file; raises BadTable where its encoding cannot be told for sure."""
    encoding = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None) or _by_zeros(data)
    try:
        return Decoded(data.decode(encoding or "utf-8"))
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise BadTable(f"{name} is damaged {encoding} text (byte {error.start}); save it as CSV UTF-8.") from error
        return _by_plausibility(data, name, error.start)


def _by_zeros(data: bytes) -> str | None:
    """Return the Unicode without a mark that the places of zero bytes speak for."""
    sample = data[: SAMPLE - SAMPLE % 4]
    zeros = [sample[place::4].count(0) / max(1, len(sample) // 4) for place in range(4)]
    for encoding, filled in (("utf-32-le", (0,)), ("utf-32-be", (3,)), ("utf-16-le", (0, 2)), ("utf-16-be", (1, 3))):
        rest = [zeros[place] for place in range(4) if place not in filled]
        if min(rest) > 0.5 and max(zeros[place] for place in filled) < 0.1:
            return encoding
    return None


def _by_plausibility(data: bytes, name: str, at: int) -> Decoded:
    line = data.count(b"\n", 0, at) + 1
    refusal = BadTable(
        f"{name} line {line}: its encoding cannot be told for sure (not UTF-8 at byte {at}); save it as CSV UTF-8."
    )
    texts: dict[str, str] = {}  # text -> encoding: two encodings may say the same
    for encoding in OLD:
        with suppress(UnicodeDecodeError):
            texts.setdefault(data.decode(encoding), OLD[encoding])
    ranked = sorted(((_plausibility(text), text) for text in texts), reverse=True)
    runner_up = ranked[1][0] if len(ranked) > 1 else 0.0
    if not ranked or ranked[0][0] <= 0 or ranked[0][0] - runner_up < CLEARLY:
        raise refusal
    return Decoded(ranked[0][1], texts[ranked[0][1]])


def _plausibility(text: str) -> float:
    """Return how well the letters and signs beyond ASCII stand where they stand, a point for each."""
    places = [match.start() for match in re.finditer(r"[^\x00-\x7f]", text)][: SAMPLE // 16]
    return sum(_fits(text, place) for place in places)


def _fits(text: str, place: int) -> float:
    """Return how well one character stands in its place: 1 is usual, -2 is never seen."""
    before, sign, after = (text[place + step : place + step + 1] or " " for step in (-1, 0, 1))
    if sign.isalpha() and sign.lower() != sign.upper():
        return _letter_fits(before, sign, after)
    inside = before.isalpha() and after.isalpha()
    if sign == "\u2019" and inside:
        genitive = after.lower() in "st" and not text[place + 2 : place + 3].isalpha()
        return 0.5 if genitive or ELISION.search(text[max(0, place - 6) : place]) else -1.0
    if sign in OPENING:
        return 1.0 if not before.isalnum() and not after.isspace() else -2.0
    if sign in CLOSING:
        return 1.0 if not before.isspace() and not after.isalpha() else -2.0
    if sign in DASHES:
        return -1.0 if inside else 0.5
    if sign in "°º" and before in "nN":
        return 1.5  # the sign of a number, in many headers
    return 0.25 if sign in SIGNS and not inside else -2.0


def _letter_fits(before: str, sign: str, after: str) -> float:
    if before.isdigit() or after.isdigit():
        return -1.0
    if not before.isalpha() and not after.isalpha():
        return 0.5 if sign in ALONE else -0.5
    if sign.isupper() and before.isalpha() and not (before.isupper() and (after.isupper() or not after.isalpha())):
        return -2.0
    if sign.islower() and before.isupper() and after.isupper():
        return -2.0
    low = sign.lower()
    if low == "œ":
        return 1.0 if after.lower() in "uidt" else -1.0
    usual = low in ANYWHERE or low in (NOT_AT_THE_END if after.isalpha() else AT_THE_END)
    return 1.0 if usual or (sign.isupper() and low in AT_THE_END) else 0.2
