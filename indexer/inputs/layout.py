"""Understand where in the path of a photograph the id of its object stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.inputs.names import composed, without_suffix
from retrieval.errors import ArtifactError

OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Layout:
    """A pattern such as `{object}_{view}`, understood."""

    pattern: str
    expression: re.Pattern[str]
    anchored: bool  # of the whole path in the folder, not of the name alone

    def object_id(self, path: str) -> str | None:
        """Return the id that stands in a relative path; None where the pattern does not fit it."""
        whole = composed(without_suffix(path))
        found = self.expression.fullmatch(whole if self.anchored else whole.rpartition("/")[2])
        return (found[OBJECT].strip() or None) if found else None

    def object_ids(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the ids of the paths that the pattern fits, and of those beside them, which have no view: the names.

        So `1961.2.jpg` is an object beside `1960.5_2.jpg`, in whichever folder the two lie.
        """
        found = {path: object_id for path in paths if (object_id := self.object_id(path))}
        folders = {path.rpartition("/")[0] for path in found}
        beside = (path for path in paths if path not in found and path.rpartition("/")[0] in folders)
        return found | {path: composed(without_suffix(path)).rpartition("/")[2] for path in beside}


def read_layout(pattern: str) -> Layout:
    """Return a pattern, understood; raises ArtifactError where it is none.

    `{object}` is the id, any other word in braces may be anything, the rest stands as it is; a suffix is ignored. A
    pattern with a slash fits the path from the folder on, and its last part all that lies deeper; one without fits the
    name of a file wherever it lies.
    """
    parts = re.split(r"(\{[^{}/]*\})", without_suffix(pattern))
    words = [part[1:-1] for part in parts[1::2]]
    if words.count(OBJECT) != 1 or any("{" in text or "}" in text for text in parts[::2]):
        raise ArtifactError(f"--pattern {pattern!r} must hold {{object}} once, as in '{{object}}_{{view}}'.")
    texts = [re.escape(composed(text)) for text in parts[::2]]
    holes = [_hole(word, deep="/" in pattern and number == len(words)) for number, word in enumerate(words, 1)]
    expression = "".join(text + hole for text, hole in zip(texts, [*holes, ""], strict=True))
    return Layout(pattern, re.compile(expression), "/" in pattern)


def _hole(word: str, *, deep: bool) -> str:
    """Return what may stand for a word: the id is as long as can be, but only the last word runs through folders."""
    if word == OBJECT:
        return f"(?P<{OBJECT}>[^/]+)(?:/.*)?" if deep else f"(?P<{OBJECT}>[^/]+)"
    return ".+" if deep else "[^/]+?"
