"""Read the sheets of an Excel workbook as a person sees them: shown digits, dates, nothing that was calculated anew."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from indexer.tables.delimited import Record
from retrieval.errors import BadTable

ENDINGS = (".xlsx", ".xlsm")
OTHERS = (".xls", ".xlsb", ".ods", ".numbers")  # spreadsheets that are asked to be saved as .xlsx
LARGEST = 200_000_000  # bytes of the XML of a workbook, unpacked; pictures in it are not read
XML = (".xml", ".rels")
IN_MEMORY, AT_ONCE = 16_000_000, 1_000_000  # bytes of what is unpacked


def sheets(path: Path) -> Iterator[tuple[str, list[Record]]]:
    """Yield the name and the records of each visible sheet, by the number of the row; raises BadTable."""
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with SpooledTemporaryFile(IN_MEMORY) as unpacked:
                _unpack(path, unpacked)
                book = load_workbook(unpacked, read_only=True, data_only=True)
                for sheet in book.worksheets:
                    if sheet.sheet_state == "visible":
                        sheet.reset_dimensions()
                        yield sheet.title, list(_records(sheet))
    except BadTable:
        raise
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # archives and their XML raise almost anything when they are damaged
        raise BadTable(f"{path} is no workbook that can be read ({error}); save it as CSV UTF-8.") from error


def _unpack(path: Path, target: IO[bytes]) -> None:
    """Write a workbook that is not packed, and holds its XML only; raises BadTable where that is too much.

    It is unpacked piece by piece, no more of it than its directory says: whoever reads it afterwards can be misled by
    neither a few bytes that unpack to very many nor by a directory that is wrong.
    """
    with ZipFile(path) as packed, ZipFile(target, "w") as unpacked:
        parts = [part for part in packed.infolist() if part.filename.lower().endswith(XML)]
        if sum(part.file_size for part in parts) > LARGEST:
            raise BadTable(f"{path} unpacks to more than {LARGEST // 1_000_000} MB; save it as CSV UTF-8.")
        if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):  # others unpack all at once
            raise BadTable(f"{path} is packed as no workbook is; save it as CSV UTF-8.")
        for part in parts:
            with packed.open(part) as source, unpacked.open(part.filename, "w") as copy:
                copyfileobj(source, copy, AT_ONCE)


def _records(sheet: Any) -> Iterator[Record]:
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [shown(cell.value, getattr(cell, "number_format", "General")) for cell in row]
        if any(cell.strip() for cell in cells):
            yield number, cells


def shown(value: object, number_format: str = "General") -> str:
    """Return the value of a cell as it is shown: 1960.10 under `0.00`, 007 under `000`, a day without its midnight."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y}" if _years_only(number_format) else _day(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _digits(value, number_format)
    return str(value)


def _years_only(number_format: str) -> bool:
    return re.sub(r'[^a-z]|\[.*?\]|".*?"', "", number_format.lower()).strip("y") == ""


def _day(value: datetime) -> str:
    return value.date().isoformat() if value.time() == time() else value.isoformat(" ")


def _digits(value: float, number_format: str) -> str:
    """Return a number with the zeros before and after it that its format asks for."""
    if (plain := re.fullmatch(r"(0+)(?:\.(0+))?(?:;.*|_.)*", number_format)) and value >= 0:
        before, after = len(plain[1]), len(plain[2] or "")
        return f"{value:0{before + after + bool(after)}.{after}f}"
    return str(value) if isinstance(value, int) else f"{value:.15g}"
