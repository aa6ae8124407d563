"""Find the ids that somebody may have meant, however many there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Any

NAMED = 3
FEW = 2000  # ids that are all looked at
BESIDE = 100  # ids on either side, of more
LONGEST = 40  # letters of an id of which every slip is tried
LETTERS = f"{ascii_letters}{digits}.-_/ "
LAST = "\U0010ffff"  # sorts after whatever an id goes on with


def near_ids(database: Any, object_id: str) -> list[str]:
    """Return the first ids that begin with one, or else those most like it.

    Of a large catalogue only ids beside it, and those one slip away from it, are looked at.
    """
    sql = "SELECT object_id FROM objects WHERE object_id BETWEEN ? AND ? ORDER BY object_id LIMIT ?"
    longer = _ids(database, sql, object_id, object_id + LAST, NAMED)
    return longer or difflib.get_close_matches(object_id, _candidates(database, object_id), n=NAMED)


def _candidates(database: Any, object_id: str) -> list[str]:
    """Return the ids that may be like one."""
    every = _ids(database, "SELECT object_id FROM objects ORDER BY object_id LIMIT ?", FEW + 1)
    if len(every) <= FEW:
        return every
    before = "SELECT object_id FROM objects WHERE object_id < ? ORDER BY object_id DESC LIMIT ?"
    after = "SELECT object_id FROM objects WHERE object_id > ? ORDER BY object_id LIMIT ?"
    beside = [found for sql in (before, after) for found in _ids(database, sql, object_id, BESIDE)]
    slips = dict.fromkeys(_slips(object_id)) if len(object_id) <= LONGEST else ()
    is_there = "SELECT object_id FROM objects WHERE object_id = ?"
    return list(dict.fromkeys([*(found for slip in slips for found in _ids(database, is_there, slip)), *beside]))


def _slips(word: str) -> Iterator[str]:
    """Yield a word in the other case, then with one letter less, more, other, or two exchanged."""
    letters = dict.fromkeys(LETTERS + word)
    for text in dict.fromkeys((word, word.upper(), word.lower())):
        yield text
        for place in range(len(text) + 1):
            start, rest = text[:place], text[place:]
            yield from (start + letter + end for letter in letters for end in (rest, rest[1:]))
            yield from (start + rest[1:], start + rest[1:2] + rest[:1] + rest[2:])


def _ids(database: Any, sql: str, *values: Any) -> list[str]:
    return [found for (found,) in database.execute(sql, values)]
