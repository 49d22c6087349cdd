"""TOML tables into dataclasses: both packages that read recipes get an error of their own, with the nearest right key."""

from dataclasses import dataclass

import pytest

from convert.errors import RecipeError as ConvertRecipeError
from edge_runtime.tables import parse_table
from train.errors import RecipeError as TrainRecipeError


@dataclass(frozen=True)
class Inner:
    rate: float = 1.0


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    names: tuple[str, ...] = ()

    def __post_init__(self):
        if self.name == "no":
            raise ValueError("a name that is refused")


@pytest.mark.parametrize("error", [ConvertRecipeError, TrainRecipeError])
@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"name": "a", "inner": {"rat": 2}}, r"it.toml: inner.rat is no known key.*did you mean 'rate'\?"),
        ({"name": "a", "inner": {"rate": "2"}}, "inner.rate = '2'"),
        ({"name": "a", "inner": {}, "names": "b"}, "names = 'b'; expected a list"),
        ({"inner": {}}, "no name; expected the keys name, inner, names"),
        ({"name": "no", "inner": {}}, "a name that is refused"),
    ],
)
def test_wrong_table_is_refused_with_the_error_of_whoever_asked(error, table, said):
    with pytest.raises(error, match=said):
        parse_table(Outer, table, "it.toml", error)


def test_right_table_becomes_its_dataclass():
    table = {"name": "a", "inner": {"rate": 2}, "names": ["b", "c"]}
    assert parse_table(Outer, table, "it.toml", TrainRecipeError) == Outer("a", Inner(2.0), ("b", "c"))
