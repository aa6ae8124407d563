"""Say in words where a place lies in a picture."""

from __future__ import annotations

from retrieval.comparing.overlays import Box

MOST = 0.4  # of the picture's area: a place that is larger lies everywhere
_ROWS, _COLUMNS = ("upper", "", "lower"), ("left", "", "right")


def position(box: Box, size: tuple[int, int]) -> str:
    """Return where the middle of a box lies in a picture of `size`: by thirds, as in `lower right` or `centre`."""
    left, top, width, height = box
    if width * height > MOST * size[0] * size[1]:
        return "over most of it"
    row = _ROWS[_third(top + height / 2, size[1])]
    column = _COLUMNS[_third(left + width / 2, size[0])]
    if row and not column:
        return "top" if row == "upper" else "bottom"
    return " ".join(part for part in (row, column) if part) or "centre"


def _third(at: float, length: int) -> int:
    return min(max(int(3 * at / length), 0), 2)
