"""Our values behave as if the standard library's dataclass had made them, in all that we use of it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from smtpdoc import values


class Plain:
    """Two fields."""

    name: str
    count: int


class Full:
    name: str
    count: int = 3
    secret: str = dataclasses.field(default="", repr=False)
    facts: Mapping[str, int] = dataclasses.field(default_factory=dict)
    where: int = dataclasses.field(default=0, compare=False)

    @property
    def double(self) -> int:
        return 2 * self.count


class One:
    only: str


class Nothing:
    pass


class Checked:
    count: int

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("less than nothing")


class Named:
    name: str

    def __str__(self) -> str:
        return f"<{self.name}>"

    def __eq__(self, other: object) -> bool:
        return str(other).lower() == str(self).lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())


standard: Callable[[type], Any] = dataclasses.dataclass(frozen=True, slots=True)
ours: Callable[[type], Any] = getattr(values, "dataclass")(frozen=True, slots=True)  # noqa: B009 - not what mypy sees

KINDS: tuple[type, ...] = (Plain, Full, One, Nothing, Checked, Named)
#: Ours first: the standard decorator changes the class that it is given.
BOTH: dict[type, tuple[Any, Any]] = {kind: (ours(kind), standard(kind)) for kind in KINDS}


def outcome(act: Callable[[], object]) -> object:
    try:
        return act()
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    ("kind", "arguments", "named"),
    [
        (Plain, ("a", 1), {}),
        (Plain, ("a",), {"count": 1}),
        (Plain, ("a",), {}),
        (Plain, ("a", 1, 2), {}),
        (Plain, ("a",), {"size": 1}),
        (Full, ("a",), {}),
        (Full, ("a", 4, "hush", {"x": 1}, 9), {}),
        (One, ("a",), {}),
        (Nothing, (), {}),
        (Checked, (1,), {}),
        (Checked, (-1,), {}),
        (Named, ("A",), {}),
    ],
)
def test_making_and_printing(kind: type, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    by_ours, by_standard = BOTH[kind]

    expected = outcome(lambda: repr(by_standard(*arguments, **named)))

    assert expected == outcome(lambda: repr(by_ours(*arguments, **named)))


@pytest.mark.parametrize("which", [0, 1], ids=["ours", "standard"])
def test_what_a_value_can_do(which: int) -> None:
    full, plain, one, named = (BOTH[kind][which] for kind in (Full, Plain, One, Named))
    value: Any = full("a", secret="hush", where=1)

    assert value == full("a", secret="hush", where=2)
    assert value != full("b", secret="hush")
    assert plain("a", 1) != Plain
    assert hash(plain("a", 1)) == hash(("a", 1))
    assert hash(one("a")) == hash(("a",))
    assert "hush" not in repr(value)
    assert value.facts is not full("a").facts
    assert value.double == 6
    assert dataclasses.replace(value, count=5).double == 10
    assert [field.name for field in dataclasses.fields(full)] == ["name", "count", "secret", "facts", "where"]
    assert dataclasses.asdict(plain("a", 1)) == {"name": "a", "count": 1}
    assert [dataclasses.is_dataclass(one) for one in (full, value, "text")] == [True, True, False]
    assert full.__match_args__ == ("name", "count", "secret", "facts", "where")
    assert list(inspect.signature(plain).parameters) == ["name", "count"]
    assert not hasattr(value, "__dict__")
    assert copy.deepcopy(value) == value
    assert (str(named("A")), named("A")) == ("<A>", named("a"))
    assert len({named("A"), named("a")}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'count'"):
        value.count = 4
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'count'"):
        del value.count


@values.dataclass(frozen=True, slots=True)
class AtTheTop:
    """One that pickle can find."""

    name: str
    count: int = 1


def test_values_can_be_pickled_and_matched() -> None:
    value = AtTheTop("a", 2)
    match value:
        case AtTheTop(name, count):
            assert (name, count) == ("a", 2)

    assert pickle.loads(pickle.dumps(value)) == value


def test_only_frozen_and_slotted_ones_are_made() -> None:
    with pytest.raises(TypeError, match="frozen and slotted"):
        getattr(values, "dataclass")(frozen=True, slots=False)  # noqa: B009 - not what mypy sees
