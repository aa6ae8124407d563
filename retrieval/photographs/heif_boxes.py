"""Find items in the boxes of a HEIF file: what the main picture is, and which tiles it is made of."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HIDDEN = 1  # flag of an item that is only a part


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a HEIF file, by their numbers."""

    primary: int
    types: dict[int, str]
    flags: dict[int, int]  # where in the file the flags of an item lie
    tiles: dict[int, tuple[int, ...]]  # of a grid, row by row


def items_of(data: bytes) -> Items:
    """Return the items of a file; raises ValueError or struct.error where its boxes are damaged."""
    primary, types, flags, tiles = 0, {}, {}, {}
    start, end = next((body + 4, end) for kind, body, end in _boxes(data, 0, len(data)) if kind == b"meta")
    for kind, body, stop in _boxes(data, start, end):
        version, inside = data[body], body + 4
        if kind == b"pitm":
            primary = _number(data, inside, 4 if version else 2)
        elif kind == b"iinf":
            for _, item, _ in _boxes(data, inside + (4 if version else 2), stop):
                size = 4 if data[item] > 2 else 2
                number, after = _number(data, item + 4, size), item + 4 + size + 2
                types[number] = data[after : after + 4].decode("ascii", "replace")
                flags[number] = item + 3
        elif kind == b"iref":
            size = 4 if version else 2
            for reference, item, _ in _boxes(data, inside, stop):
                count = _number(data, item + size, 2)
                if reference == b"dimg":
                    first = item + size + 2
                    tiles[_number(data, item, size)] = tuple(
                        _number(data, first + size * place, size) for place in range(count)
                    )
    return Items(primary, types, flags, tiles)


def with_tiles_shown(data: bytes, items: Items, numbers: tuple[int, ...]) -> bytes:
    """Return the file with those items no longer hidden, so that each can be decoded by itself."""
    shown = bytearray(data)
    for number in numbers:
        shown[items.flags[number]] &= ~_HIDDEN
    return bytes(shown)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box, and where its body begins and ends."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if size == 1 else 8
        size = struct.unpack_from(">Q", data, at + 8)[0] if size == 1 else size or end - at
        if not head <= size <= end - at:
            raise ValueError("a box beyond its end")
        yield kind, at + head, at + size
        at += size


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")
