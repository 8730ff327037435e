"""Immutable classes that are quick to define and to make.

`@dataclass(frozen=True)` compiles six methods for each class, and that for all classes was half of
the time in which the static check was loaded. Here three are compiled: `__init__`, `__eq__` and
`__hash__`. Assignments are forbidden by the type checker alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform, overload

_Class = TypeVar("_Class")


class HashedOnce:
    """A base of frozen classes whose fields are deep: each object remembers its hash."""

    __slots__ = ("_hash",)


@overload
def frozen(cls: type[_Class], /) -> type[_Class]: ...


@overload
def frozen(*, kw_only: bool) -> Callable[[type[_Class]], type[_Class]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(
    cls: type[_Class] | None = None, /, *, kw_only: bool = False
) -> type[_Class] | Callable[[type[_Class]], type[_Class]]:
    """Make a class a dataclass with slots, immutable, equal and hashed by its fields.

    Fields, defaults, `replace` and `match` are those of `dataclasses.dataclass`.
    """

    def wrap(cls: type[_Class]) -> type[_Class]:
        has_hash = "__hash__" in cls.__dict__
        made = dataclass(repr=False, unsafe_hash=not has_hash, slots=True, kw_only=kw_only)(cls)
        made.__repr__ = _representation  # type: ignore[method-assign]  # of any class
        if issubclass(made, HashedOnce):
            made.__hash__ = _remembering(made.__hash__)  # type: ignore[assignment,method-assign]
        return made

    return wrap if cls is None else wrap(cls)


def _remembering(compute: Callable[[Any], int]) -> Callable[[Any], int]:
    def remember(self: Any) -> int:  # noqa: ANN401  # any frozen class
        try:
            known: int = self._hash
        except AttributeError:
            known = self._hash = compute(self)
        return known

    return remember


def _representation(self: Any) -> str:  # noqa: ANN401  # any frozen class
    shown = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))
    return f"{type(self).__qualname__}({shown})"
