"""Every `fer-edge` command, setting and device that the documents name is one that the program takes."""

import dataclasses
import re
import shlex
import tomllib

import pytest

from devices.spec import parse_accelerator, parse_source
from edge_runtime.cli import _parser
from edge_runtime.settings.config import Config, load_config
from tests.support import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\s*(?:\$ )?(?:sudo )?(?:~/fer/bin/|\.venv/bin/)?fer-edge (.*)")
SECTIONS = {field.name for field in dataclasses.fields(Config)} - {"model"}
"""Those whose `section.key` is no recipe's and no file's name."""


def commands_of(text):
    """The words after `fer-edge` of each command in a page's code blocks."""
    for kind, block in FENCE.findall(text):
        if kind not in ("", "sh", "bash", "console"):
            continue
        for line in block.replace("\\\n", " ").replace('"$(command -v fer-edge)"', "fer-edge").splitlines():
            for part in re.split(r"&&|;(?=\s|$)", line.partition("  #")[0].partition(" # ")[0]):
                found = COMMAND.match(part.replace("[", "").replace("]", ""))  # what may be left away
                if found:
                    yield re.split(r"\s[|>]\s|\s>|\s2>", found[1])[0].strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_understood(page, capsys):
    for command in commands_of(page.read_text()):
        try:
            arguments = _parser().parse_args(shlex.split(command))
        except SystemExit as end:
            assert end.code == 0, f"{page.name}: fer-edge {command}: {capsys.readouterr().err}"
            continue
        if getattr(arguments, "set", None):
            load_config(flags={}, changes=tuple(arguments.set))
        for name, parse in (("source", parse_source), ("accelerator", parse_accelerator)):
            if spec := getattr(arguments, name, None):
                parse(spec)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_and_setting_that_a_page_mentions_exists(page, tmp_path):
    text = page.read_text()
    for command in re.findall(r"`fer-edge ([^`…]+)`", text):
        parser = _parser()
        for word in command.split():
            chosen = [action for action in parser._actions if action.nargs == "A..." and word in (action.choices or ())]
            if chosen:
                parser = chosen[0].choices[word]
            elif word.startswith("--"):
                assert word.strip("[],").partition("=")[0] in parser._option_string_actions, f"{page.name}: {command}"
    for setting in re.findall(r"--set ([a-z]+\.[a-z_]+)=", text):
        assert setting in known_settings() | {"section.key"}, f"{page.name}: --set {setting}"
    for section, key in re.findall(r"`([a-z0-9]+)\.([a-z0-9_]+)(?: = [^`]*)?`", text):
        if section in SECTIONS and key not in ("md", "py"):
            assert f"{section}.{key}" in known_settings(), f"{page.name}: {section}.{key}"
    for kind, block in FENCE.findall(text):
        if kind == "toml" and set(tomllib.loads(block)) <= SECTIONS:
            (tmp_path / "fer-edge.toml").write_text(block)
            load_config(tmp_path / "fer-edge.toml")


def known_settings():
    return {
        f"{section.name}.{field.name}"
        for section in dataclasses.fields(Config)
        for field in dataclasses.fields(getattr(Config(), section.name))
    }


def test_the_judge_sees_faults():
    text = "```\nsudo ~/fer/bin/fer-edge run --source synthetic --nothing 3   # so\nfer-edge log erase a.db --all | cat\n```"
    assert list(commands_of(text)) == ["run --source synthetic --nothing 3", "log erase a.db --all"]
    with pytest.raises(SystemExit):
        _parser().parse_args(shlex.split(next(commands_of(text))))
    assert "detector.every_frames" in known_settings()
