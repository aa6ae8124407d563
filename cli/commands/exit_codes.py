"""The exit codes of all commands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with; 2 is Typer's own, for a command line that is wrong."""

    DONE = 0
    FAILED = 1
    UNREADABLE = 3  # some inputs could not be read; the others were taken
    DIVERGENT = 10  # with --exit-code: a photograph is flagged
    ALERT = 11  # with --exit-code: a photograph shows a work that is stolen or missing, or a known forgery
    INTERRUPTED = 130
