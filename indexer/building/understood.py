"""Say what was understood of the layout of a folder, before anything is encoded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from indexer.building.reading import Reading
from indexer.inputs.layout_guesses import ViewsGuess, guess_views, is_group
from indexer.inputs.names import composed, without_suffix
from indexer.inputs.scan import Scan

LARGEST = 3
MANY = 30  # photographs: more than that of one object is worth a question


@dataclass(frozen=True, slots=True)
class Understood:
    """What a folder was taken for."""

    photos: int
    sizes: Counter[str]  # photographs of each object
    pattern: str  # "" where there is none
    unfit: tuple[str, ...]  # photographs that the pattern does not fit
    groups: tuple[str, ...]  # folders taken for one object each, though called as one of many objects, or very full
    groups_pattern: str  # by which the files in those folders would be objects; "" where none is sure
    views: ViewsGuess | None

    @property
    def largest(self) -> list[tuple[str, int]]:
        """The objects with the most photographs, and how many."""
        return sorted(self.sizes.items(), key=lambda item: (-item[1], item[0]))[:LARGEST]


def understand(reading: Reading, scan: Scan) -> Understood:
    """Return what a folder was taken for; guesses are of photographs that neither a table nor a pattern gives away."""
    sizes = Counter(item.object_id for item in scan.found)
    layout, named = reading.layout, reading.table.named
    free = [item for item in scan.found if composed(item.path) not in named]
    tops = [(item.path.partition("/")[0], item) for item in free if "/" in item.path]
    folders = {top for top, item in tops if item.object_id == composed(top)}
    groups = sorted(top for top in folders if sizes[composed(top)] > MANY or is_group(top))
    alone = [item for item in free if "/" not in item.path or item.path.partition("/")[0] in groups]
    views = None if layout else guess_views(without_suffix(composed(item.path)).rpartition("/")[2] for item in alone)
    return Understood(
        photos=len(scan.found),
        sizes=sizes,
        pattern=reading.asked.pattern or "",
        unfit=tuple(item.path for item in scan.found if layout is not None and layout.object_id(item.path) is None),
        groups=tuple(groups),
        groups_pattern=_groups_pattern([item.path for item in free], groups, views) if groups else "",
        views=views,
    )


def _groups_pattern(paths: list[str], groups: list[str], views: ViewsGuess | None) -> str:
    """Return the pattern by which what lies in the groups would be objects, and all other files stay what they are."""
    tops = {path.partition("/")[0] for path in paths if "/" in path}
    if tops == set(groups):
        deeper = any(path.count("/") > 1 for path in paths)
        return "{folder}/{object}" if deeper or views is None else views.pattern
    return f"{groups[0]}/{{object}}" if len(groups) == 1 else ""
