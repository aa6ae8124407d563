"""Keep the records of a screening as they come, so that an interrupted one goes on from there."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from cli.output import Record, dumps, outcomes


class Journal:
    """A JSON-lines file beside the output: what is being done, then a record a photograph.

    A journal of the same work (`heading`: folder, encoder, revision, ...) is taken up again; records of photographs
    that were written since, and a last line cut short by a kill, are dropped. Of any other work it is begun anew.
    """

    def __init__(self, path: Path, heading: Mapping[str, Any]) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.done: set[str] = set()
        self._file = self._take_up(heading)

    @classmethod
    def beside(cls, out: Path, heading: Mapping[str, Any]) -> Journal:
        """Return the journal of an output file: FILE.part."""
        return cls(out.with_name(f"{out.name}.part"), heading)

    def _take_up(self, heading: Mapping[str, Any]) -> IO[str]:
        kept = list(self._still_true(heading))
        self.done = {found["photo"] for found in kept}
        temporary = self.path.with_name(f"{self.path.name}.new")
        file = temporary.open("w", encoding="ascii")
        file.write(dumps(dict(heading)) + "\n")
        for found in kept:
            file.write(dumps(found) + "\n")
            self.counts.update(outcomes(found))
        file.flush()
        os.replace(temporary, self.path)
        return file

    def _still_true(self, heading: Mapping[str, Any]) -> Iterator[Record]:
        try:
            written = self.path.stat().st_mtime_ns
            with self.path.open(encoding="ascii") as lines:
                if json.loads(next(lines, "null")) != heading:
                    return
                for line in lines:
                    found = json.loads(line)
                    if not found["error"] and Path(found["photo"]).stat().st_mtime_ns < written:
                        yield found
        except (OSError, ValueError):
            return

    def add(self, found: Record) -> None:
        """Append a record, at once."""
        self._file.write(dumps(found) + "\n")
        self._file.flush()
        self.done.add(found["photo"])
        self.counts.update(outcomes(found))

    def records(self) -> Iterator[Record]:
        """Yield every record so far."""
        with self.path.open(encoding="ascii") as lines:
            next(lines)
            for line in lines:
                yield json.loads(line)

    def discard(self) -> None:
        """Delete the journal; its work is done."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()


def temporary_journal(heading: Mapping[str, Any]) -> Journal:
    """Return a journal for output that goes nowhere a later run could take it up."""
    handle, name = tempfile.mkstemp(prefix="artifact-", suffix=".part")
    os.close(handle)
    return Journal(Path(name), heading)
