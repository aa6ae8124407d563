"""Find objects by the words of all their metadata.

Each word is looked for as the beginning of a word, without regard to case and accents, and an ß as ss. Ids and
accession numbers are found without the sign in them too. Scripts that set no space between words (Chinese, Japanese,
Thai ...) are looked for anywhere in a text, as are signs that belong to no word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from retrieval.catalogue.catalogue import Catalogue

WEIGHTS = "10.0, 6.0, 3.0, 8.0, 1.0"  # of id, title, maker, accession, and all else
MOST_WORDS = 24  # of one search; what stands behind is not looked for
LONGEST_WORD = 200  # letters
LONGEST_ID = 24  # letters
MOST_SPELLINGS = 16  # of a word with ß
_TEXT = (
    "t.object_id || ' ' || coalesce(t.title, '') || ' ' || coalesce(t.maker, '') || ' ' || coalesce(t.accession, '')"
)
_WHOLE = f"{_TEXT} || ' ' || t.more"
# Thai, Lao, Tibetan, Myanmar, Khmer; kana, Han and Yi; Han beyond the first 65,536 signs
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class _Search:
    """What is looked for: beginnings of words, and what stands anywhere in a text."""

    asked: str
    beginnings: tuple[str, ...]
    anywhere: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> _Search:
        """Return what is looked for by a text as it was typed; any text is one."""
        sound = text.encode(errors="replace").decode().replace("\0", " ")
        asked = " ".join(unicodedata.normalize("NFC", sound).split())
        words = [word[:LONGEST_WORD] for word in asked.split()[:MOST_WORDS]]
        anywhere = tuple(word for word in words if _UNSPACED.search(word))
        beginnings = tuple(word for word in words if word not in anywhere and any(map(_is_letter, word)))
        return cls(asked, beginnings, anywhere if anywhere or beginnings else tuple(words))

    def __bool__(self) -> bool:
        return bool(self.beginnings or self.anywhere)

    def rows(self, statuses: Sequence[str] | None) -> tuple[str, list[str]]:
        """Return what follows FROM in SQL, and its values."""
        where, values = [f"instr({_WHOLE}, ?) > 0"] * len(self.anywhere), [*self.anywhere, *(statuses or ())]
        if statuses is not None:
            marks = ", ".join("?" * len(statuses))
            where.append(f"t.object_id IN (SELECT object_id FROM objects WHERE status IN ({marks}))")
        if not self.beginnings:
            return f"object_texts t WHERE {' AND '.join(where)}", values
        joined = "object_words JOIN object_texts t ON t.number = object_words.rowid"
        where = ["object_words MATCH ?", *where]
        return f"{joined} WHERE {' AND '.join(where)}", [" AND ".join(map(_expression, self.beginnings)), *values]


def _expression(word: str) -> str:
    """Return what the table of words is asked for a word: any of its spellings, of some in ids only."""
    found = [_beginning(spelling) for spelling in _spellings(word)]
    found += [f"{{object_id accession}} : {_beginning(spelling)}" for spelling in _spellings_of_id(word)]
    return f"({' OR '.join(found)})"


def _beginning(text: str) -> str:
    return '"{}" *'.format(text.replace('"', '""'))


def _spellings(word: str) -> list[str]:
    """Return a word with ss and with ß, the way it was typed first; an s at its end may begin either."""
    parts = re.split("(ss|ß|s$)", word, flags=re.IGNORECASE)
    choices = [(part, "ss" if part in "ßẞ" else "ß") if n % 2 else (part,) for n, part in enumerate(parts)]
    return ["".join(chosen) for chosen in islice(product(*choices), MOST_SPELLINGS)]


def _spellings_of_id(word: str) -> list[str]:
    """Return a word that may be an id as it is written without signs, with one, or where digits begin or end."""
    letters = "".join(filter(_is_letter, word))
    if not any(map(str.isdecimal, letters)) or len(letters) > LONGEST_ID:
        return []
    if letters != word:
        return [letters]
    cut = [f"{word[:at]} {word[at:]}" for at in range(1, len(word))]
    return list(dict.fromkeys([*cut, " ".join(re.findall(r"\d+|\D+", word))]))


def _is_letter(sign: str) -> bool:
    """Say whether a sign is part of words, for the table of words too."""
    return unicodedata.category(sign)[0] in "LN" or unicodedata.category(sign) == "Co"


def matching(
    catalogue: Catalogue,
    text: str,
    *,
    limit: int | None = None,
    after: int = 0,
    statuses: Sequence[str] | None = None,
) -> list[str]:
    """Return the ids of the objects that have all words of a text, the best first, from the `after`th on.

    An id that was typed whole comes first. No text is an error; one without any sign finds nothing. `statuses` leaves
    only objects with one of these, as they are written.
    """
    return list(each_matching(catalogue, text, limit=limit, after=after, statuses=statuses))


def each_matching(
    catalogue: Catalogue,
    text: str,
    *,
    limit: int | None = None,
    after: int = 0,
    statuses: Sequence[str] | None = None,
) -> Iterator[str]:
    """Yield what `matching` returns, one at a time."""
    search = _Search.of(text)
    if not search:
        return
    rows, values = search.rows(statuses)
    rank = f"bm25(object_words, {WEIGHTS}), " if search.beginnings else ""
    sql = f"SELECT t.object_id FROM {rows} ORDER BY t.object_id <> ?, {rank}t.object_id LIMIT ? OFFSET ?"
    for (object_id,) in catalogue.db.execute(sql, [*values, search.asked, -1 if limit is None else limit, after]):
        yield object_id


def count_matching(catalogue: Catalogue, text: str, *, statuses: Sequence[str] | None = None) -> int:
    """Return how many objects have all words of a text."""
    search = _Search.of(text)
    if not search:
        return 0
    rows, values = search.rows(statuses)
    return int(catalogue.db.execute(f"SELECT count(*) FROM {rows}", values).fetchone()[0])
