"""Frozen, slotted dataclasses that are quick to make.

The standard decorator writes and compiles six methods for each class. We have so many small values that this took a
third of the start of every command. Here only the constructor is written for each class; what all of them do alike is
shared, and what the functions of `dataclasses` want to know (`replace`, `fields`, `asdict`) is prepared when one of
them asks. Type checkers see the standard decorator, and a class behaves as if made by it (tests/test_values.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")

_set = object.__setattr__
_MISSING = dataclasses.MISSING


class _Prepared:
    """Stands in a class for what `dataclasses` keeps there, until it is asked for."""

    def __init__(self, name: str, fields: list[tuple[str, Any, Any]]) -> None:
        self._name = name
        self._fields = fields

    def __get__(self, instance: object, owner: type) -> Any:
        made = dataclasses.make_dataclass(owner.__name__, self._fields, frozen=True)
        for name in _KEPT:
            setattr(owner, name, getattr(made, name))
        return getattr(owner, self._name)


_KEPT = ("__dataclass_fields__", "__dataclass_params__")


def _make(cls: type[T]) -> type[T]:
    names = tuple(cls.__annotations__)
    namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    fields: list[tuple[str, Any, Any]] = []
    for name in names:
        given = namespace.pop(name, _MISSING)
        known = given if isinstance(given, dataclasses.Field) else dataclasses.field(default=given)
        fields.append((name, cls.__annotations__[name], known))
    shown = [name for name, _, known in fields if known.repr]
    values = _getter([name for name, _, known in fields if known.compare])

    def __repr__(self: object) -> str:  # noqa: N807
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values(self))

    everything = _getter(names)

    def __reduce__(self: object) -> tuple[Any, ...]:  # noqa: N807
        return type(self), everything(self)

    for method in (__repr__, __eq__, __hash__, __reduce__):
        if namespace.get(method.__name__) is None:
            namespace[method.__name__] = method
    namespace |= {"__setattr__": _no_assigning, "__delattr__": _no_deleting}
    namespace |= {"__slots__": names, "__match_args__": names}
    namespace |= {name: _Prepared(name, fields) for name in _KEPT}
    namespace["__init__"] = _constructor(cls.__qualname__, fields, then="__post_init__" in namespace)
    metaclass: Any = type(cls)
    made: type[T] = metaclass(cls.__name__, cls.__bases__, namespace)
    made.__qualname__ = cls.__qualname__
    return made


def _getter(names: list[str] | tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _constructor(qualname: str, fields: list[tuple[str, Any, Any]], *, then: bool) -> Any:
    known: dict[str, Any] = {"_set": _set, "_missing": _MISSING}
    parameters, body = [], []
    for name, _, field in fields:
        value, default = name, ""
        if field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
        elif field.default_factory is not _MISSING:
            known[f"_make_{name}"] = field.default_factory
            value, default = f"_make_{name}() if {name} is _missing else {name}", "=_missing"
        parameters.append(name + default)
        body.append(f"_set(self, {name!r}, {value})")
    if then:
        body.append("self.__post_init__()")
    source = f"def __init__({', '.join(['self', *parameters])}):\n " + "\n ".join(body or ["pass"])
    exec(source, known)  # noqa: S102 - as the standard library does it: nothing in it but names from our own source
    known["__init__"].__qualname__ = f"{qualname}.__init__"
    return known["__init__"]


def _no_assigning(_: object, name: str, __: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deleting(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type[T]], type[T]]:
        """Return the decorator; both must be true, as for all values of this house. No inheritance of fields."""
        if not (frozen and slots):
            raise TypeError("values are frozen and slotted; use dataclasses.dataclass for anything else")
        return _make
