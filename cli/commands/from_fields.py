"""Make the options of a command from a dataclass whose fields say how they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum, StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from indexer.inputs.option import Option


def as_command(run: Callable[..., None]) -> Callable[..., None]:
    """Return a function as a command: where it takes a dataclass, the command has an option for each field."""
    taken = signature(run).parameters
    hints = get_type_hints(run, include_extras=True)

    @wraps(run)
    def command(**given: Any) -> None:
        run(**{name: _filled(hints[name], given) if is_dataclass(hints[name]) else given[name] for name in taken})

    asked = [found for name in taken for found in _asked(name, hints[name], taken[name].default)]
    asked.sort(key=lambda found: found[0])
    vars(command)["__signature__"] = Signature([parameter for _, parameter in asked])
    return command


def _asked(name: str, hint: Any, default: Any) -> Iterator[tuple[bool, Parameter]]:
    """Yield the parameters that typer makes options from, each with whether it is listed last."""
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        for field in fields(hint):
            otherwise = Parameter.empty if field.default is MISSING else field.default
            yield from _asked(field.name, hints[field.name], otherwise)
        return
    last = False
    kept, *how = get_args(hint) or (hint,)
    if how and isinstance(option := how[0], Option):
        hint, last = Annotated[_type_read(name, kept, option), _typer_info(name, option)], option.last
        default = None if _is_many(kept) else default
    yield last, Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _is_many(kept: Any) -> bool:
    return get_origin(kept) is tuple


def _type_read(name: str, kept: Any, option: Option) -> Any:
    """Return the type that typer reads for what is kept as another: choices as an enum, several values as a list."""
    item = get_args(kept)[0] if _is_many(kept) else kept
    if option.choices:
        enum: Any = StrEnum
        item = enum(name, {choice: choice for choice in option.choices})
    return GenericAlias(list, (item,)) | None if _is_many(kept) else item


def _typer_info(name: str, option: Option) -> Any:
    if option.positional:
        return typer.Argument(metavar=option.metavar, help=option.help)
    flags = option.flags or (f"--{name.replace('_', '-')}",)
    return typer.Option(*flags, metavar=option.metavar, min=option.low, max=option.high, help=option.help)


def _filled(kind: Any, given: dict[str, Any]) -> Any:
    """Return a `kind` of what was given on the command line; what was not given stays as it is by default."""
    hints = get_type_hints(kind)
    values = {
        field.name: _filled(hints[field.name], given) if is_dataclass(hints[field.name]) else _plain(given[field.name])
        for field in fields(kind)
    }
    return kind(**{name: value for name, value in values.items() if value not in (None, ())})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value.value if isinstance(value, Enum) else value
