"""Leave out what a user names by patterns, as git does: by options, and by the file `.artifactignore` of a folder."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import ArtifactError

IGNORE_FILE = ".artifactignore"


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The patterns that hold in a folder; `spec` is None where there are none."""

    spec: Any = None

    def covers(self, path: str, *, is_folder: bool = False) -> bool:
        """Say whether a path, relative to the folder, is left out, by itself or with a folder that holds it."""
        return self.spec is not None and bool(self.spec.match_file(f"{path}/" if is_folder else path))


def read_exclusions(folder: Path, patterns: Collection[str] = ()) -> Exclusions:
    """Return the patterns of the folder's `.artifactignore` and further ones; raises ArtifactError for a bad one."""
    lines = [*_lines(folder / IGNORE_FILE), *((pattern, "--exclude") for pattern in patterns)]
    if not lines:
        return Exclusions()
    from pathspec import GitIgnoreSpec

    for pattern, where in lines:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise ArtifactError(f"{where}: {pattern!r} is no pattern; one like '*_old.jpg' or 'drafts/' is.") from error
    return Exclusions(GitIgnoreSpec.from_lines([pattern for pattern, _ in lines]))


def _lines(path: Path) -> list[tuple[str, str]]:
    """Return each pattern of an ignore file with where it stands; none where there is no such file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    return [(line, f"{path} line {number}") for number, line in enumerate(text.splitlines(), 1)]
