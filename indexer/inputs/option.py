"""How a field is asked for on a command line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """How a field, or a parameter of a command, is asked for on a command line."""

    help: str
    flags: tuple[str, ...] = ()  # the name of the field where none is given
    metavar: str | None = None
    low: float | None = None  # the least and the most that may be given
    high: float | None = None
    choices: tuple[str, ...] = ()
    positional: bool = False
    last: bool = False  # listed after all other options, whatever the order of the fields
