"""The standard streams: another encoding, a full disk, a closed one, a reader that has gone; colours and memory."""

import codecs
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.main
from cli.main import app
from cli.output.progress import progress
from cli.output.streams import CannotPrint, Remarks, Results, print_pieces
from cli.output.unforeseen import os_error_words, refuse_little_memory, unforeseen_words
from retrieval.errors import ArtifactError

FULL = Path("/dev/full")
MOUNTAIN = "\u5c71"


def artifact(line: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of a shell in which `artifact` is the command."""
    command = f'artifact() {{ "{sys.executable}" -m cli.main "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", command], capture_output=True, check=False, env={**os.environ, **environment})


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("artifact --help >&-", 1, b"artifact: standard output cannot be written: Bad file descriptor\n"),
        ("artifact --help 2>&-", 0, b""),
        ("artifact status --data nowhere >&-", 1, b"artifact: No catalogue in nowhere."),
        ("artifact status --data nowhere >&- 2>&- <&-", 1, b""),
        ("artifact --version >/dev/full", 1, b"artifact: standard output cannot be written: No space left on device\n"),
        ("artifact status --data nowhere 2>/dev/full", 1, b""),
        ("set -o pipefail; artifact --help | true", 1, b""),
        ("(ulimit -v 100000; artifact status)", 1, b"artifact: This process may have 102 MB of memory (ulimit -v)"),
    ],
)
@pytest.mark.skipif(not FULL.exists(), reason="needs the devices of Linux")
def test_no_stream_brings_a_traceback_and_none_that_failed_passes(line, code, said):
    result = artifact(line)
    assert result.returncode == code and b"Traceback" not in result.stderr
    assert result.stderr.startswith(said) if said else not result.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_usage_that_no_encoding_can_print_is_a_line(encoding):
    result = artifact(f"artifact query --{MOUNTAIN}", PYTHONIOENCODING=encoding)
    assert result.returncode == 2 and b"Traceback" not in result.stderr
    shown = "\\u5c71" if encoding == "cp1252" else MOUNTAIN
    assert f"--{shown}" in result.stderr.decode()


def stream(kind: type[io.TextIOWrapper], encoding: str = "utf-8") -> io.TextIOWrapper:
    return kind(io.BytesIO(), encoding=encoding, errors="backslashreplace")


def printed(on: io.TextIOWrapper) -> bytes:
    on.flush()
    return on.buffer.getvalue()


def test_words_keep_the_encoding_and_data_is_utf8(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream(Results, "cp1252"))
    print_pieces([f"caf\u00e9 {MOUNTAIN}\n"], data=False)
    assert printed(sys.stdout) == b"caf\xe9 \\u5c71\n"
    print_pieces([f"caf\u00e9 {MOUNTAIN}"], data=True)
    assert (
        printed(sys.stdout).endswith(f"caf\u00e9 {MOUNTAIN}".encode())
        and codecs.lookup(sys.stdout.encoding).name == "utf-8"
    )


@pytest.mark.skipif(not FULL.exists(), reason="needs the devices of Linux")
def test_results_that_cannot_be_written_are_an_error_and_remarks_are_not():
    results = Results(FULL.open("wb", buffering=0), encoding="utf-8", write_through=True)
    with pytest.raises(CannotPrint, match="standard output cannot be written: No space left on device"):
        results.write("a")
    remarks = Remarks(FULL.open("wb", buffering=0), encoding="utf-8", write_through=True)
    assert remarks.write("a") == 1
    remarks.flush()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_printed_where_they_are_asked_for(monkeypatch, environment, coloured):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.main.wants_colour() is coloured


@pytest.mark.parametrize(("term", "coloured"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_gets_no_colours(monkeypatch, term, coloured):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert cli.main.wants_colour() is coloured


@pytest.mark.parametrize(("term", "drawn"), [("xterm", True), ("dumb", False)])
def test_a_dumb_terminal_gets_no_bar_and_no_empty_line(monkeypatch, term, drawn):
    terminal = stream(Remarks)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress("Painting") as show:
        show(1, 2)
    assert bool(printed(terminal)) is drawn


def test_little_memory_is_refused_before_anything_is_loaded(monkeypatch):
    for limit, enough, enough_for_all in (
        (None, True, True),
        (3e9, True, True),
        (1e9, False, True),
        (1e8, False, False),
    ):
        monkeypatch.setattr("cli.output.unforeseen.memory_limit", lambda limit=limit: limit)
        for with_encoder, fits in ((True, enough), (False, enough_for_all)):
            if fits:
                refuse_little_memory(with_encoder=with_encoder)
            else:
                with pytest.raises(ArtifactError, match=r"it needs (2,000|600) MB"):
                    refuse_little_memory(with_encoder=with_encoder)


def test_what_nobody_foresaw_is_a_line(monkeypatch):
    assert unforeseen_words(MemoryError()).startswith("there is too little memory")
    assert unforeseen_words(ImportError("a.so: failed to map segment from shared object")).startswith("there is too")
    assert unforeseen_words(KeyError("a\nb")).startswith("a mistake of this program, KeyError: ")
    assert os_error_words(OSError(28, "No space left on device")).startswith("No space left on device; temporary files")
    assert os_error_words(OSError(28, "No space left on device", "a.csv")) == "No space left on device: a.csv"


@pytest.mark.parametrize(("kept", "said"), [(None, "interrupted before it was done"), ("done", "interrupted; done")])
def test_an_interruption_says_what_is_true_of_the_command(monkeypatch, kept, said):
    from cli.output.interruption import Ended, saying

    def interrupted(*_: object, **__: object) -> None:
        if kept is None:
            raise KeyboardInterrupt
        with saying(kept):
            raise Ended(15)

    monkeypatch.setattr("cli.runs.listing.run_list", interrupted)
    result = CliRunner().invoke(app, ["list"])
    assert (result.exit_code, result.stderr) == (130 if kept is None else 143, f"artifact: {said}\n")


def test_what_a_decoder_writes_on_stderr_is_read_by_nobody_and_what_we_write_is():
    code = (
        "import os, sys\n"
        "from cli.output.streams import fit_streams\n"
        "fit_streams()\n"
        "os.write(2, b'TIFFReadDirectory: Warning, Unknown field with tag 34864.\\n')\n"
        "print('ours', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "ours\n")
