"""Whatever files are called, and whenever a screening is cut short: each input is accounted for exactly once."""

import csv
import io
import json
import os
import shutil
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.runs import screen as screening
from cli.runs.judging_options import JudgingOptions
from cli.screening import desk, report
from cli.screening.forms import ScreenFormat
from cli.screening.journal import Journal
from cli.screening.screening_options import ScreeningOptions
from indexer.inputs.lots import read_lots
from indexer.inputs.scan import scan_folder
from indexer.inputs.system_files import system_name
from retrieval.judging.edition import Edition, open_edition
from retrieval.photographs.reader_process import TIME_LIMIT, Reader
from retrieval.verdicts.log import VerdictLog
from tests.conftest import index, picture, state, tiny_encoder

slowly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20)
stems = text | st.sampled_from(
    ["\u00e9", "e\u0301", "a\nb", "\u202ea", "=1+1", "-rf", "\\", "?", " ", "CON", "\U0001f5bc"]
)
endings = st.sampled_from([".jpg", ".PNG"])
file_names = st.builds(str.__add__, stems, endings).filter(
    lambda name: not name.startswith(".") and not system_name(name)
)
no_text = st.binary(min_size=1, max_size=3).map(
    lambda odd: os.fsdecode(b"x\xff" + odd.translate(None, b"/\0") + b".jpg")
)
folder_names = stems.filter(lambda name: not name.startswith(".") and not system_name(name))
folders = st.just("") | folder_names.map(lambda name: f"{name}/")
paths = st.builds(str.__add__, folders, file_names)


def encoded(number: int) -> bytes:
    file = io.BytesIO()
    picture(number, size=(48, 40)).save(file, "PNG")
    return file.getvalue()


CONTENTS = (b"no photograph", *map(encoded, range(4)))


@contextmanager
def new_folder(contents: Mapping[str, bytes]) -> Iterator[Path]:
    """Give a folder of files, but for those whose place is taken: by a folder where a file should be, say."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        for path, content in contents.items():
            if (folder / path).parent.is_file() or (folder / path).is_dir():
                continue
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
        yield folder


def files_below(folder: Path) -> list[str]:
    return [os.path.relpath(Path(here, name), folder) for here, _, names in os.walk(folder) for name in names]


@slowly
@given(st.sets(paths | no_text, max_size=8))
def test_a_scan_takes_or_leaves_each_photograph_once(names):
    with new_folder(dict.fromkeys(names, b"x")) as folder:
        scan = scan_folder(folder)
        found = [item.path for item in scan.found]
        present = files_below(folder)
        assert len(set(found)) == len(found) and set(found) <= set(present)
        assert len(found) + len(scan.skipped) == len(present)
        assert len({item.path for item in scan.skipped} | set(found)) == len(present), "no two are told by one name"
        owner: dict[str, str] = {}
        for item in scan.found:
            assert item.object_id and unicodedata.is_normalized("NFC", item.object_id)
            parts = PurePosixPath(item.path).parts
            assert item.object_id == unicodedata.normalize(
                "NFC", parts[0] if parts[1:] else PurePosixPath(parts[0]).stem
            )
            assert owner.setdefault(item.object_id, parts[0]) == parts[0], "one file or folder has an id"
        assert scan_folder(folder) == scan


@pytest.mark.slow
@settings(slowly, max_examples=8)
@given(st.dictionaries(paths | no_text, st.sampled_from(CONTENTS), max_size=6).filter(bool))
def test_an_index_holds_each_photograph_once_and_again_the_same(contents):
    with new_folder(contents | {"one.png": encoded(9)}) as folder:
        data = folder.parent / "data"
        first = index(folder, data)
        kept = state(data)
        held = [path for _, path, *_ in kept["photos"]]
        assert len(held) == len(set(held)) and len(held) + len(kept["skipped"]) == len(files_below(folder))
        assert {(item.path, item.object_id) for item in scan_folder(folder).found} >= {
            (path, object_id) for object_id, path, *_ in kept["photos"]
        }
        again = index(folder, data)
        assert (again.revision, again.encoded) == (first.revision, 0) and state(data) == kept


@slowly
@given(st.sets(paths | no_text, max_size=8))
def test_a_screening_is_given_each_photograph_of_a_folder_once(names):
    with new_folder(dict.fromkeys(names, b"x")) as folder:
        lots = list(read_lots(folder))
        present = files_below(folder)
        assert len({lot.key for lot in lots}) == len(lots) == len(present)
        assert {lot.path for lot in lots if lot.problem is None} <= {folder / name for name in present}


@slowly
@given(st.lists(paths.filter(lambda name: name == name.strip()), unique=True, max_size=8), st.data())
def test_a_table_of_lots_names_the_photographs_that_were_written_into_it(names, drawn):
    with tempfile.TemporaryDirectory() as folder:
        lots = [(name, drawn.draw(text.filter(str.strip))) for name in names]
        with Path(folder, "lots.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("photo", "title", "sale"), *((*lot, "May") for lot in lots)])
        found = [(lot.path, dict(lot.columns or {})) for lot in read_lots(Path(folder, "lots.csv"))]
        assert found == [
            (Path(os.path.normpath(Path(folder, name))), {"title": title.strip(), "sale": "May"})
            for name, title in lots
        ]


@dataclass
class Cut:
    """Interrupts a program at one of the moments at which it does something that stays."""

    after: int | None = None

    def around(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def watched(*arguments: Any, **options: Any) -> Any:
            self.moment()
            result = real(*arguments, **options)
            self.moment()
            return result

        return watched

    def moment(self) -> None:
        if self.after is None:
            return
        self.after -= 1
        if self.after < 0:
            self.after = None
            raise KeyboardInterrupt


@contextmanager
def reading_here(_limit: float) -> Iterator[Reader]:
    yield ReaderHere()


class ReaderHere(Reader):
    """Reads in this process."""

    def run(self, read: Callable[[], Any]) -> Any:
        return read()


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Edition:
    """An edition, with the tiny encoder, over two objects that are the last two of the contents."""
    root = tmp_path_factory.mktemp("edition")
    (root / "works").mkdir()
    for number in (2, 3):
        (root / f"works/{number}.png").write_bytes(encoded(number))
    index(root / "works", root / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.judging.edition.load_encoder", lambda *_, **__: tiny_encoder())
        return open_edition(root / "data", parallel=1)


@pytest.fixture
def cut(monkeypatch) -> Cut:
    found = Cut()
    for owner, name in (
        (Journal, "__init__"),
        (Journal, "holds"),
        (Journal, "add"),
        (Journal, "discard"),
        (VerdictLog, "add"),
        (desk, "sha256_of"),
        (report, "write_whole"),
    ):
        monkeypatch.setattr(owner, name, found.around(getattr(owner, name)))
    monkeypatch.setattr(screening, "reading_apart", reading_here)
    return found


def screen(edition: Edition, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Screen a folder by a copy of the edition's catalogue beside it."""
    data = source.parent / "data"
    if not data.exists():
        shutil.copytree(edition.data, data)
    monkeypatch.setattr("retrieval.judging.edition.open_edition", lambda *_, **__: replace(edition, data=data))
    form = ScreenFormat.JSONL
    options = ScreeningOptions(k=3, several=False, time_limit=TIME_LIMIT, form=form, out=out, bom=False)
    screening.run_screen(source, data, options=options, judging=JudgingOptions())


def said(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a photograph, whenever it was judged and whichever of its twins came first."""
    return {key: value for key, value in record.items() if key not in ("verdicts", "same_as", "seen_before")}


def records(out: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a screening by photograph, each of which has one."""
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert max(Counter(record["photo"] for record in found).values(), default=1) == 1
    return {record["photo"]: record for record in found}


@pytest.mark.slow
@settings(slowly, max_examples=25)
@given(
    st.dictionaries(file_names, st.sampled_from(CONTENTS), min_size=1, max_size=7),
    st.lists(st.tuples(st.integers(0, 70), st.none() | st.sampled_from(CONTENTS)), max_size=3),
)
def test_a_screening_cut_at_any_moments_says_each_thing_once_in_the_end(edition, cut, monkeypatch, contents, cuts):
    """Between the runs, one of the photographs may be written anew."""
    with new_folder(contents) as folder:
        out, first = folder.parent / "out.jsonl", folder / next(iter(contents))
        for moment, other in cuts:
            cut.after = moment
            try:
                screen(edition, folder, out, monkeypatch)
            except KeyboardInterrupt:
                assert cut.after is None
            cut.after = None
            if other is not None:
                first.write_bytes(other)
                os.utime(first, ns=(time.time_ns(),) * 2)
        screen(edition, folder, out, monkeypatch)
        ended = records(out)
        assert set(ended) == {str(folder / name) for name in contents}
        assert not list(folder.parent.glob("out.jsonl?*"))
        if not any(other for _, other in cuts):  # a photograph written anew is no twin any more, which is not said
            check_twins(ended)
        check_log(ended, folder.parent / "data")
        screen(edition, folder, folder.parent / "whole.jsonl", monkeypatch)
        whole = records(folder.parent / "whole.jsonl")
        assert {photo: said(record) for photo, record in ended.items()} == {
            photo: said(record) for photo, record in whole.items()
        }


@pytest.mark.slow
def test_a_screening_cut_anywhere_before_its_output_records_each_verdict_once(edition, cut, monkeypatch):
    contents = {f"{number}.png": content for number, content in enumerate(CONTENTS)}
    for moment in count():
        with new_folder(contents) as folder:
            out, cut.after = folder.parent / "out.jsonl", moment
            try:
                screen(edition, folder, out, monkeypatch)
            except KeyboardInterrupt:
                assert cut.after is None
            cut.after = None
            if out.exists():  # what comes after is another screening
                break
            screen(edition, folder, out, monkeypatch)
            with VerdictLog.reading(folder.parent / "data") as log:
                assert sorted(item.number for item in log.entries()) == sorted(
                    {number for record in records(out).values() for number in record["verdicts"]}
                )
    assert moment > 4 * len(set(CONTENTS))


def check_twins(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Of identical photographs that can be read, one was judged, and the others say which."""
    judged = {record["sha256"]: photo for photo, record in found.items() if record["same_as"] is None}
    for photo, record in found.items():
        assert record["same_as"] in (None, judged[record["sha256"]])
        assert judged[record["sha256"]] == photo or record["same_as"] is not None or record["error"]


def check_log(found: Mapping[str, Mapping[str, Any]], data: Path) -> None:
    """What a record says is what was recorded under its numbers."""
    with VerdictLog.reading(data) as log:
        for record in found.values():
            assert record["verdicts"]
            for number in record["verdicts"]:
                kept = log.entry(number)
                assert (kept.sha256, kept.lot) == (record["sha256"], None)
                assert kept.outcome in [work["outcome"] for work in record["works"]] or record["error"]
