"""Find what no encoder writes into a JPEG: stray bytes among its headers, and bytes of its scan that were blanked."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLANK = bytes(48)
_BASELINE, _TABLES, _SCAN = (0xC0, 0xC1), 0xC4, 0xDA  # markers
_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # a marker that is no restart
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_ALONE = frozenset([0x01, *range(0xD0, 0xDA)])  # markers without a segment


def without_strays(data: bytes) -> bytes:
    """Return a JPEG without stray bytes among the headers before its first scan: libjpeg passes over them, too.

    It remarks on them, and on nothing else thereafter.
    """
    kept, at = [data[:2]], 2
    is_tidy = True
    while (found := _MARKER.search(data, at)) is not None:
        start, marker = found.start(), data[found.start() + 1]
        is_tidy &= start == at
        at = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if marker == _SCAN or marker in _ALONE or at >= len(data):
            return data if is_tidy else b"".join([*kept, data[start:]])
        kept.append(data[start:at])
    return data


def is_blanked(data: bytes) -> bool:
    """Say whether zeros lie among the codes of a JPEG whose tables give a row of zeros no even pixels to stand for.

    A code of zeros is the first of its table. Optimised tables may begin with the codes of a block like the one
    before, so that zeros stand for a sky; the usual ones do not.
    """
    baseline, start = False, 0
    first_codes: set[int] = set()
    for marker, begin, end in _segments(data):
        baseline |= marker in _BASELINE
        if marker == _TABLES:
            first_codes.update(_first_codes(data[begin:end]))
        elif marker == _SCAN:
            start = end
            break
    if not (baseline and start) or first_codes == {0}:
        return False
    found = _END.search(data, start)
    codes = data[start : found.start() if found else None]
    return _BLANK in codes.rstrip(b"\0")


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker of each segment of the headers, and where its body begins and ends."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 1], at + 4, end
        at = end


def _first_codes(tables: bytes) -> Iterator[int]:
    """Yield what the first code of each Huffman table of a segment stands for."""
    at = 0
    while at + 17 < len(tables):
        yield tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])
