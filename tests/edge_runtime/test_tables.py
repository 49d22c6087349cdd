"""TOML tables into dataclasses: both packages that read recipes get an error of their own, with the nearest right key."""

import hashlib
from dataclasses import dataclass

import pytest

from convert.errors import RecipeError as ConvertRecipeError
from edge_runtime.tables import list_tables, parse_table, read_table
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


@dataclass(frozen=True)
class Named:
    by_name: dict[str, Inner]


def test_each_entry_of_a_table_of_names_is_checked():
    assert parse_table(Named, {"by_name": {"a": {"rate": 2}}}, "it.toml", TrainRecipeError).by_name == {"a": Inner(2.0)}
    with pytest.raises(TrainRecipeError, match=r"by_name\.a\.rat is no known key"):
        parse_table(Named, {"by_name": {"a": {"rat": 2}}}, "it.toml", TrainRecipeError)


@pytest.mark.parametrize("error", [ConvertRecipeError, TrainRecipeError])
def test_a_file_is_found_by_its_name_in_the_folder_or_by_its_path(tmp_path, error):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "plain.toml").write_text("rate = 1")
    (tmp_path / "mine.toml").write_text("rate = 2")
    assert list_tables(tmp_path / "here") == ["plain"]
    assert read_table("plain", tmp_path / "here", "recipe", error).table == {"rate": 1}
    mine = read_table(tmp_path / "mine.toml", tmp_path / "here", "recipe", error)
    assert (mine.table, mine.sha256) == ({"rate": 2}, hashlib.sha256(b"rate = 2").hexdigest())


def test_a_name_that_is_not_there_gets_the_names_that_are(tmp_path):
    (tmp_path / "plain.toml").write_text("")
    with pytest.raises(TrainRecipeError, match=r"recipe 'plane': No such file.*one of plain.*did you mean 'plain'\?"):
        read_table("plane", tmp_path, "recipe", TrainRecipeError)


@pytest.mark.parametrize("content", [b"rate = ", b"\xff"])
def test_a_file_that_is_no_toml_is_refused_by_its_path(tmp_path, content):
    (tmp_path / "broken.toml").write_bytes(content)
    with pytest.raises(TrainRecipeError, match=r"broken\.toml: .*; expected a TOML file"):
        read_table("broken", tmp_path, "recipe", TrainRecipeError)
