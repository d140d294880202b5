"""Reads the signature of a handler: what it takes after its role, and what it returns."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeAliasType, Union, get_args, get_origin

from azure.functions import HttpResponse
from pydantic.alias_generators import to_camel

from functions.http.parameters import Reader, Source
from functions.http.responses import Described

type Handler = Callable[..., Awaitable[HttpResponse]]
"""Takes a role and its other parameters, and returns a response of `functions.http.responses`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter after the role: its name in the API, the type in its brackets, and where its value comes from."""

    name: str
    wanted: Any
    source: Source

    def bodies(self) -> Mapping[str, type | None]:
        """Return the content types of the body that it reads, each with the model that describes it."""
        model = self.source.model or self.wanted
        return {**dict.fromkeys(self.source.media, model), **dict.fromkeys(self.source.raw_media)}

    def reader(self) -> Reader:
        """Return its reader."""
        return self.source.reader(self.name, self.wanted)


def role_of(handler: Handler) -> Any:
    """Return the type of the first parameter."""
    return next(iter(handler.__annotations__.values()))


def parameters_of(handler: Handler) -> tuple[Parameter, ...]:
    """Return the parameters after the role, in their order."""
    _, *taken = [(name, hint) for name, hint in handler.__annotations__.items() if name != "return"]
    return tuple(Parameter(to_camel(name), _in_brackets(hint), _source(hint)) for name, hint in taken)


def responses_of(handler: Handler) -> tuple[Described, ...]:
    """Return the responses that it may return."""
    return tuple(_responses(handler.__annotations__["return"]))


def _source(hint: Any) -> Source:
    (source,) = _spelled_out(hint).__metadata__
    return source  # type: ignore[no-any-return] # `Annotated` may hold anything; a test reads each signature


def _responses(hint: Any) -> Iterator[Described]:
    spelled = _spelled_out(hint)
    if get_origin(spelled) in {Union, UnionType}:
        for each in get_args(spelled):
            yield from _responses(each)
    elif get_origin(spelled) is Annotated:
        yield spelled.__metadata__[0]
    else:
        kind = get_origin(spelled) or spelled
        yield Described(kind.status, kind.media, _in_brackets(spelled))


def _in_brackets(hint: Any) -> Any:
    return next(iter(get_args(hint)), None)


def _spelled_out(hint: Any) -> Any:
    """Return the type that an alias stands for, with its type arguments filled in."""
    while isinstance(alias := get_origin(hint) or hint, TypeAliasType):
        filled = get_args(hint)
        hint = alias.__value__[filled] if getattr(alias.__value__, "__parameters__", ()) else alias.__value__
    return hint
