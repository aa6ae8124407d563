"""Make tables as programs write them, and read them as `artifact index` and `artifact screen` do, without decoding."""

from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from indexer.inputs.metadata import Metadata, choose_metadata, describe_objects, read_metadata
from indexer.inputs.scan import assign_objects
from indexer.inputs.walk import walk_folder
from tests.conftest import touch


@dataclass(frozen=True)
class Known:
    """What a folder and its table say: photographs and metadata by object, and what was left out, by place."""

    photos: dict[str, list[str]]
    metadata: dict[str, dict[str, str]]
    bad: dict[str, str]
    table: Metadata


def write_workbook(path: Path, **sheets: list[list[object]]) -> Path:
    """Write a workbook; a cell (value, format) is shown in that format."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row, cells in enumerate(rows, 1):
            for column, cell in enumerate(cells, 1):
                value, shown = cell if isinstance(cell, tuple) else (cell, "General")
                sheet.cell(row, column, value).number_format = shown
    book.save(path)
    return path


def known(folder: Path, *photos: str, **options) -> Known:
    """Return what a folder of these photographs and its table say."""
    touch(folder, *photos)
    choice = choose_metadata(folder, **options)
    walk = walk_folder(folder, tables=(choice.name,))
    table = read_metadata(choice, [path for path, _ in walk.photographs])
    scan = assign_objects(walk, named=table.named)
    described, bad = describe_objects(table, scan.found)
    by_object: dict[str, list[str]] = {}
    for item in scan.found:
        by_object.setdefault(item.object_id, []).append(item.path)
    return Known(by_object, described, {item.path: item.reason for item in (*scan.skipped, *bad)}, table)
