"""Read text with delimiters as records, each with the line that it begins on, whatever is wrong with some of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

DELIMITERS = (",", ";", "\t", "|")
Record = tuple[int, list[str] | str]  # the line, and the cells or what is wrong there

csv.field_size_limit(1 << 24)  # a cell may hold a whole text


def declared(text: str) -> tuple[str | None, int]:
    """Return the delimiter that a first line `sep=;` names, and at which line the table then begins."""
    found = re.match(r'"?sep=(.)"?[,;\t]*\s*?(?:\r\n|\r|\n)', text, re.IGNORECASE)
    return (found[1], 1) if found else (None, 0)


def records(text: str, delimiter: str, *, skip: int = 0) -> Iterator[Record]:
    """Yield the records of a text that are not empty; lines may end in any of three ways, zeros are no signs."""
    lines = io.StringIO(text.replace("\0", ""), newline="")
    for _ in range(skip):
        lines.readline()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the next record begins on the next line
            end = reader.line_num
            lost = f"; nothing was read from here to line {end + skip}" if end > start else ""
            yield start + skip, f"{error}{lost}"
            continue
        if any(cell.strip() for cell in cells):
            yield start + skip, cells
