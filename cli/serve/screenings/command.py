"""The command that a screening is: the very one of the command line, in a process of its own, never through a shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cli.runs.judging_options import LookingOptions
from cli.serve.screenings.kept import LOG, RECORDS, REPORT, Screening

CODE = (
    "import sys; sys.path[:] = {path!r}; from cli.serve.screenings.child import get_ready; get_ready(); "
    "from cli.start import main; main()"
)


def command_of(screening: Screening, source: Path, folder: Path, data: Path, judging: LookingOptions) -> list[str]:
    """Return the command and its arguments; all paths are absolute."""
    words = ["screen", str(source.absolute()), "--data", str(data.absolute())]
    words += ["--out", str((folder / REPORT).absolute()), "--records", str((folder / RECORDS).absolute())]
    if screening.table:
        words += ["--beside", screening.folder]
    for pattern in screening.exclude:
        words.append(f"--exclude={pattern}")
    if judging.encoder is not None:
        words.append(f"--encoder={judging.encoder}")
    words += ["--device", judging.device, "--max-megapixels", str(judging.max_megapixels)]
    if screening.closely or judging.closely:
        words.append("--closely")
    return [sys.executable, "-c", CODE.format(path=sys.path), *words]


def begun(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Begin a command whose messages are kept in the folder; it ends when the pipe to its standard input closes."""
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C at the desk ends the desk, which then ends this in its own way
        )


def last_line(folder: Path) -> str:
    """Return the last thing that a command said, without the name of the program."""
    try:
        lines = (folder / LOG).read_text("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("artifact: ")[:500] if lines else ""
