"""`artifact list` and `show`: page by page, as rows are read, whatever the catalogue holds."""

import io
import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.testing import CliRunner

from cli.main import app
from cli.output.table import MEASURED, print_rows
from cli.records.artifact_1 import dumps
from cli.records.pieces import Keyed, Listed, json_lines, json_pieces, value_of
from retrieval.catalogue.browsing import ids_beginning
from retrieval.catalogue.catalogue import Catalogue
from retrieval.catalogue.rows import Changes
from retrieval.errors import UnknownObject
from tests.conftest import exemplar

COLUMNS = {"object": "left", "title": "left", "photos": "right"}
runner = CliRunner()


def put(catalogue: Catalogue, count: int) -> None:
    """Add objects `K-0000` and so on, each with a title and one exemplar."""
    ids = [f"K-{number:04d}" for number in range(count)]
    titles = {object_id: {"title": f"Boats, {object_id[-1]}", "room": "7"} for object_id in ids}
    catalogue.apply(Changes(put=[exemplar(object_id) for object_id in ids], metadata=titles))


def listed(data: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    result = runner.invoke(app, ["list", "--data", str(data), *arguments])
    assert result.exit_code == code, result.stderr
    return result.stdout, result.stderr


def ids(data: Path, *arguments: str) -> list[str]:
    return [item["object_id"] for item in json.loads(listed(data, *arguments, "--format", "json")[0])]


def test_pages_follow_each_other_and_each_says_how_the_next_is_asked_for(writable, data):
    put(writable, 10)
    out, said = listed(data, "--limit", "4", "--format", "json")
    assert [item["object_id"] for item in json.loads(out)] == [f"K-000{n}" for n in range(4)]
    assert said == f"there are more: artifact list --limit 4 --after K-0003 --data {data}\n"
    assert ids(data, "--limit", "4", "--after", "K-0003") == [f"K-000{n}" for n in range(4, 8)]
    out, said = listed(data, "--limit", "4", "--after", "K-0007")
    assert "K-0008" in out and "K-0009" in out and "K-0007" not in out and said == ""
    assert ids(data, "--after", "K-00035") == ids(data, "--after", "K-0003"), "the object may be gone meanwhile"
    assert listed(data, "--limit", "10")[1] == "" and ids(data, "--after", "Z") == []


def test_pages_of_a_search_follow_each_other_in_its_order(writable, data):
    put(writable, 25)
    every = ids(data, "--search", "boats 3")
    assert every == ["K-0003", "K-0013", "K-0023"]
    out, said = listed(data, "--search", "boats 3", "--limit", "2", "--format", "json")
    assert [item["object_id"] for item in json.loads(out)] == every[:2]
    assert f"artifact list --search 'boats 3' --limit 2 --after K-0013 --data {data}" in said
    assert ids(data, "--search", "boats 3", "--limit", "2", "--after", "K-0013") == every[2:]
    _, said = listed(data, "--search", "boats 3", "--after", "K-0004", code=1)
    assert said == "artifact: 'K-0004' is not among what is found by 'boats 3'; begin without --after.\n"


def test_where_nothing_comes_a_line_says_so_and_no_empty_table_is_printed(writable, data):
    put(writable, 13)
    for arguments, line in (
        (["--after", "Z\x1b[2J"], "No object comes after Z\ufffd[2J."),
        (["--after", "K-0012"], "No object comes after K-0012."),
        (["--search", "nowhere"], "No object is found by 'nowhere'."),
        (["--search", "boats 2", "--after", "K-0012"], "No object is found by 'boats 2' after K-0012."),
    ):
        assert listed(data, *arguments) == ("", f"{line}\n")
        assert listed(data, *arguments, "--format", "json") == ("[]\n", f"{line}\n")
    writable.apply(Changes(gone=[photo.photo_id for photo in writable.photos()]))
    assert listed(data) == ("", "The catalogue holds no object.\n")


def test_json_is_what_it_was_when_it_was_written_at_once(writable, data):
    put(writable, 3)
    objects = json.loads(listed(data, "--format", "json")[0])
    assert [item["metadata"]["room"] for item in objects] == ["7"] * 3
    for arguments, found in ([], objects), (["--search", "0002"], objects[2:]), (["--search", "none"], []):
        assert listed(data, *arguments, "--format", "json")[0] == dumps(found, indent=2) + "\n"


@pytest.mark.parametrize("value", [Listed([]), Keyed([]), {"a": Listed([1, {"b": []}]), "c": Keyed([("\u00e9", [2])])}])
def test_json_in_pieces_is_the_same_text(value):
    assert "".join(json_pieces(value)) == dumps(value_of(value), indent=2)


def test_json_is_written_before_all_is_read():
    read = []
    lines = json_lines(Listed(read.append(number) or number for number in count()))
    assert next(lines).startswith("[\n  0,\n  1,") and len(read) < 1000


def printed(rows: list[list[str]], width: int = 80) -> str:
    console = Console(highlight=False, width=width, file=io.StringIO())
    print_rows(console, COLUMNS, rows)
    return console.file.getvalue()


def drawn_whole(rows: list[list[str]], width: int = 80) -> str:
    """Return the table as it is drawn by Rich, which takes all of it."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in COLUMNS.items():
        table.add_column(name, justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console(highlight=False, width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80])
def test_a_table_row_by_row_looks_as_one_that_is_drawn_whole(width):
    long = "Supercalifragilisticexpialidocious-harbour-of-a-town-by-the-sea, in the evening"
    rows = [["a", "", "1"], ["b [bold]", long, "12"], ["c", "\u5c71\u6c34\u753b " * 9, "3"], ["d", "cafe\u0301 ", "4"]]
    assert printed(rows, width) == drawn_whole(rows, width) and printed([], width) == drawn_whole([], width)


def test_a_long_table_is_printed_as_it_comes_and_as_wide_as_the_terminal():
    short = [[str(number), "", "1"] for number in range(MEASURED)]
    assert printed(short) == drawn_whole(short)
    lines = printed([*short, ["x", "a title at last", "1"]]).splitlines()
    assert {len(line) for line in lines} == {80} and "a title at last" in lines[-2]


def test_rows_are_printed_before_all_are_read():
    def rows():
        for number in range(MEASURED + 1):
            yield [str(number), "", "1"]
        raise KeyboardInterrupt

    console = Console(width=80, file=io.StringIO())
    with pytest.raises(KeyboardInterrupt):
        print_rows(console, COLUMNS, rows())
    assert len(console.file.getvalue().splitlines()) == 3 + MEASURED + 1


def test_a_reader_that_leaves_early_ends_a_list_in_silence(writable, data):
    put(writable, 3000)
    for form in ("table", "json"):
        command = f"{sys.executable} -m cli.main list --data '{data}' --format {form} | head -n 3"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ)
        assert len(result.stdout.splitlines()) == 3 and result.stderr == ""


def test_an_unknown_id_among_many_is_answered_with_those_like_it(writable):
    put(writable, 2500)

    def said(object_id: str) -> str:
        with pytest.raises(UnknownObject) as error:
            writable.object(object_id)
        return str(error.value)

    assert "Did you mean K-0120, K-0121, K-0122?" in said("K-012")
    for meant in ("k-1234", "K1234", "K-12344", "K_1234", "B-1234"):
        assert "K-1234" in said(meant), meant
    assert "`artifact list` shows the ids" in said("Louvre" * 20)


def test_ids_that_begin_alike_are_found_in_order(writable):
    put(writable, 30)
    assert ids_beginning(writable, "K-002", limit=5) == [f"K-002{n}" for n in range(5)]
    assert ids_beginning(writable, "", limit=2) == ["K-0000", "K-0001"] and ids_beginning(writable, "L", limit=2) == []
