"""The package's front page: what it promises to be importable, and the ten lines that show the whole job."""

import textwrap

import edge_runtime


def test_every_public_name_exists_and_the_list_is_complete():
    assert sorted(edge_runtime.__all__, key=str.lower) == sorted(set(edge_runtime.__all__), key=str.lower)
    for name in edge_runtime.__all__:
        assert hasattr(edge_runtime, name)


def test_the_docstrings_ten_lines_run_and_find_a_happy_face(capsys):
    code = textwrap.dedent(edge_runtime.__doc__.partition("\n\n")[2].rpartition("\n\n")[0])
    exec(compile(code, "docstring", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("happiness ")
    assert "'emotions'" in printed
    assert "'dominant_emotion': 'happy'" in printed
