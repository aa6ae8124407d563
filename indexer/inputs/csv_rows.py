"""Read the rows of a CSV file of photographs, each with its line, whatever is wrong with some of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import ArtifactError


class BadLabels(ArtifactError):
    """Labels that cannot be used; the message names the first lines, files or objects that are wrong."""


def read_rows(source: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str] | str]]]:
    """Return the columns, and with the number of its line each row that is not empty, or what is wrong with it.

    UTF-8, with commas, semicolons or tabs. Raises BadLabels where the file cannot be read.
    """
    text = _text(source)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise BadLabels(f"{source} line 1: {error}") from error

    def rows() -> Iterator[tuple[int, dict[str, str] | str]]:
        while True:
            start = reader.line_num + 1
            try:
                cells = [cell.strip() for cell in next(reader)]
            except StopIteration:
                return
            except csv.Error as error:  # the next row begins on the next line
                lost = f"; nothing was read from here to line {reader.line_num}" if reader.line_num > start else ""
                yield start, f"{error}{lost}"
                continue
            if any(cells[len(header) :]):
                yield start, f"{len(cells)} cells under {len(header)} columns"
            elif any(cells):
                yield start, dict(zip(header, cells, strict=False))

    return header, rows()


def _text(source: Path) -> str:
    try:
        return source.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadLabels(f"{source} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadLabels(f"{source} is not UTF-8 text (byte {error.start}); save it as CSV UTF-8.") from error
