"""Make the options of a command from a dataclass whose fields say how they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum, StrEnum
from functools import wraps
from inspect import Parameter, Signature
from types import GenericAlias
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import typer

from indexer.training.options import Option

Request = TypeVar("Request")


def asks_for(kind: type[Request]) -> Callable[[Callable[[Request], None]], Callable[..., None]]:
    """Return a decorator that turns a function of a `kind` into a command with an option for each of its fields."""

    def decorated(run: Callable[[Request], None]) -> Callable[..., None]:
        @wraps(run)
        def command(**given: Any) -> None:
            run(_filled(kind, given))

        asked = sorted(_asked(kind), key=lambda found: found[0].last)
        vars(command)["__signature__"] = Signature([parameter for _, parameter in asked])
        return command

    return decorated


def _asked(kind: Any) -> Iterator[tuple[Option, Parameter]]:
    """Yield how each field of a dataclass is asked for, and the parameter that typer makes an option from."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        if is_dataclass(hint := hints[field.name]):
            yield from _asked(hint)
            continue
        kept, option = get_args(hint)
        default = None if _is_many(kept) else Parameter.empty if field.default is MISSING else field.default
        read, info = _type_read(field.name, kept, option), _typer_info(field.name, option)
        yield (
            option,
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[read, info]),
        )


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
