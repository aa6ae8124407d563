"""Find the object that a number in a table or a claim means, however it is written there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from indexer.inputs.names import composed


class ObjectNames:
    """Finds objects by id or accession number.

    A name is sought as it stands, then without regard to case, spaces and dashes of other kinds, then without zeros at
    its beginning, then with one sign for all that separates. What fits two objects is neither.
    """

    def __init__(self, accessions: Mapping[str, str]) -> None:
        """`accessions` holds the accession number, "" where none is known, of every object id."""
        self._known = accessions.keys()
        self._by_key: dict[str, list[str]] = {}
        for object_id, accession in accessions.items():
            for key in dict.fromkeys([*_keys(object_id), *(_keys(accession) if accession.strip() else ())]):
                self._by_key.setdefault(key, []).append(object_id)

    def meant(self, name: str) -> list[str]:
        """Return the objects that a name may mean: one where it is clear, none, or several."""
        exact = composed(name)
        if exact in self._known:
            return [exact]
        return next((found for key in _keys(name) if (found := self._by_key.get(key))), [])


def _keys(name: str) -> Iterable[str]:
    plain = re.sub(r"[‐‑‒–—−]", "-", unicodedata.normalize("NFKC", name).casefold())  # noqa: RUF001
    joined = "".join(plain.split())
    yield f"= {joined}"
    if bare := joined.lstrip("0"):
        yield f"0 {bare}"
    if parts := [part for part in re.split(r"[\s._\-/\\:,]+", plain) if part]:
        yield f". {'.'.join(parts)}"
