"""The words for what a walk through a folder left out."""

from __future__ import annotations

from collections.abc import Mapping

from cli.output.text import counted, plain
from indexer.inputs.walk import FOLDER, LeftOut, Why

MOST = 5  # kinds that a line names


def left_out_lines(left_out: LeftOut) -> list[str]:
    """Return a line for each reason why files or folders were left out, with their number."""
    by_why: dict[Why, dict[str, int]] = {}
    for (why, what), count in left_out.items():
        by_why.setdefault(why, {})[what] = count
    return [_line(why, by_why[why]) for why in Why if why in by_why]


def _line(why: Why, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    match why:
        case Why.OTHER_KIND:
            return f"{counted(total, 'file')} of other kinds left out: {_listed(counts)}"
        case Why.SYSTEM:
            return f"{total} left out that systems keep there: {_listed(counts)}"
        case Why.HIDDEN:
            return f"{_files_and_folders(counts)} left out that are hidden"
        case Why.EXCLUDED:
            return f"{_files_and_folders(counts)} left out by --exclude or .artifactignore"
        case Why.LINKED:
            return f"{counted(total, 'folder')} left out that can be reached by another name too"


def _files_and_folders(counts: Mapping[str, int]) -> str:
    """Return how many files there are and, apart, how many folders, whatever they hold: `2 files and 1 folder`."""
    folders = counts.get(FOLDER, 0)
    files = sum(counts.values()) - folders
    return " and ".join(counted(count, one) for count, one in ((files, "file"), (folders, "folder")) if count)


def _listed(counts: Mapping[str, int]) -> str:
    """Return the counts in words, the most first: `3 .pdf, 1 without a suffix`."""
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{count} {plain(what).strip() or 'without a suffix'}" for what, count in order]
    more = sum(count for _, count in order[MOST:])
    return ", ".join(named[:MOST] + ([counted(more, "other")] if more else []))
