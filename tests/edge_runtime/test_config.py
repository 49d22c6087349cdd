"""One configuration: four layers, one meaning, and a message that names the layer, the key and the mend."""

import json
import tomllib
from pathlib import Path

import pytest

from devices.errors import ExplainedError
from edge_runtime.errors import ConfigError, UsageError
from edge_runtime.settings import check as config_check
from edge_runtime.settings.check import check_usable, named_paths
from edge_runtime.settings.config import Config, keys, load_config, read_secret
from edge_runtime.settings.text import as_toml, starting_file
from tests.support import fer_edge


def load(tmp_path, text="", environment=None, **options):
    path = tmp_path / "fer-edge.toml"
    path.write_text(text)
    return load_config(path, environment=environment or {}, **options)


def test_flags_win_over_the_environment_over_the_file_over_defaults(tmp_path):
    text = "[smoothing]\nthreshold = 0.5\nmargin = 0.2\nhold = 0.05"
    environment = {"FER_EDGE_SMOOTHING_MARGIN": "0.3", "FER_EDGE_SMOOTHING_HOLD": "0.15", "PATH": "/bin"}
    loaded = load(
        tmp_path, text, environment, flags={"smoothing.hold": 0.25, "log.path": None}, changes=("model.threads=2",)
    )
    smoothing = loaded.config.smoothing
    assert (smoothing.threshold, smoothing.margin, smoothing.hold) == (0.5, 0.3, 0.25)
    assert loaded.config.model.threads == 2
    assert loaded.origins["smoothing.threshold"].endswith("fer-edge.toml")
    assert loaded.origins["smoothing.margin"] == "FER_EDGE_SMOOTHING_MARGIN"
    assert loaded.origins["smoothing.hold"] == "flag"
    assert loaded.origins["model.threads"] == "--set model.threads"
    assert loaded.origins["log.path"] == "default"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[smoothing]\nthreshhold = 0.5", "did you mean 'threshold'"),
        ("[smooting]\nthreshold = 0.5", "did you mean 'smoothing'"),
        ("[smoothing]\nthreshold = 1.5", r"smoothing: threshold = 1.5 is not 0 to 1"),
        ("[smoothing]\nthreshold = '0.5'", "a float"),
        ("[smoothing]\nthreshold = nan", "finite"),
        ("[model]\nthreads = 1.5", "an? int"),
        ("[model]\nthreads = true", "an? int"),
        ("[output]\nformat = 'xml'", "one of jsonl, csv, none"),
        ("smoothing = 3", "a table"),
        ("[smoothing\n", "line 1"),
        ("[source]\nreconnect_first_s = 20\nreconnect_most_s = 10", "reconnect_most_s = 10 is less"),
        ("[mqtt]\nurl = 'http://host'", "mqtt://host:1883"),
        ("[mqtt]\nurl = 'mqtt://host:99999'", "mqtt://host:1883"),
        ("[mqtt]\npassword = 'secret'", "without a username"),
        ("[mqtt]\ntopic = 'a/#'", "no topic"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_with_the_nearest_right_one(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said) as refused:
        load(tmp_path, text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"FER_EDGE_SMOOTHING_TRESHOLD": "0.5"}, "did you mean FER_EDGE_SMOOTHING_THRESHOLD"),
        ({"FER_EDGE_MODEL_THREADS": "two"}, "FER_EDGE_MODEL_THREADS = 'two'; expected a whole number"),
        ({"FER_EDGE_MODEL_THREADS": "0"}, "FER_EDGE_MODEL_THREADS: model: threads = 0 is not 1 to 64"),
        ({"FER_EDGE_OUTPUT_DISPLAY": "maybe"}, "true or false"),
        ({"FER_EDGE_CONFIG": "/nowhere/fer-edge.toml"}, "FER_EDGE_CONFIG /nowhere"),
    ],
)
def test_a_wrong_variable_is_named(environment, said):
    with pytest.raises(ConfigError, match=said):
        load_config(environment=environment)


def test_what_goes_together_may_stand_in_different_layers(tmp_path):
    loaded = load(tmp_path, "[mqtt]\npassword = 'x'", {"FER_EDGE_MQTT_USERNAME": "fer"})
    assert (loaded.config.mqtt.username, loaded.config.mqtt.password) == ("fer", "x")


@pytest.mark.parametrize("change", ["model.threads", "model.thread=2", "=2"])
def test_a_wrong_change_on_the_command_line_is_refused(change):
    with pytest.raises(ConfigError, match="--set"):
        load_config(changes=(change,), environment={})


def test_variables_that_are_no_settings_are_left_alone():
    assert load_config(environment={"FER_EDGE_DEVICE_STDERR": "1"}).config == Config()


def test_every_setting_can_be_given_by_the_environment_as_its_own_type(tmp_path):
    environment = {key.variable: str(key.default) for key in keys()}
    assert load(tmp_path, environment=environment).config == Config()


def test_no_two_settings_share_a_variable():
    variables = [key.variable for key in keys()]
    assert len(set(variables)) == len(variables)
    assert "FER_EDGE_CONFIG" not in variables


def test_the_starting_file_means_the_defaults_commented_or_not(tmp_path):
    text = starting_file()
    assert load(tmp_path, text).config == Config()
    bare = "\n".join(line[1:] if line.startswith("#") and line[1:2] != " " else line for line in text.splitlines())
    assert load(tmp_path, bare).config == Config()
    named = {f"{section}.{name}" for section, table in tomllib.loads(bare).items() for name in table}
    assert named == {key.dotted for key in keys()}


def test_what_is_shown_reads_back_and_hides_secrets(tmp_path):
    loaded = load(tmp_path, "[mqtt]\nusername = 'fer'\npassword = 'top-secret'\n[log]\npath = 'ä \\ \"b\".db'")
    shown = as_toml(loaded)
    assert "top-secret" not in shown
    assert tomllib.loads(shown)["log"]["path"] == 'ä \\ "b".db'
    assert tomllib.loads(shown)["mqtt"]["password"] == "********"


def test_a_url_with_a_password_is_refused_without_repeating_it(tmp_path):
    with pytest.raises(ConfigError, match="password_file") as refused:
        load(tmp_path, "[mqtt]\nurl = 'mqtt://fer:top-secret@host'")
    assert "top-secret" not in str(refused.value)


def test_a_secret_is_the_first_line_of_its_file(tmp_path):
    (tmp_path / "secret").write_text("top-secret\nnote\n")
    assert read_secret(tmp_path / "secret") == "top-secret"
    (tmp_path / "empty").write_text("\nsecret")
    for name in ("empty", "missing"):
        with pytest.raises(ConfigError, match=name):
            read_secret(tmp_path / name)


def test_the_nearest_file_is_found_and_named(tmp_path, monkeypatch):
    (tmp_path / "home" / "fer-edge").mkdir(parents=True)
    (tmp_path / "home" / "fer-edge" / "fer-edge.toml").write_text("[model]\nthreads = 3")
    monkeypatch.chdir(tmp_path)
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    assert load_config(environment=environment).config.model.threads == 3
    (tmp_path / "fer-edge.toml").write_text("[model]\nthreads = 4")
    assert load_config(environment=environment).config.model.threads == 4


def test_the_command_writes_a_file_shows_and_checks_it_and_never_overwrites(tmp_path):
    path = tmp_path / "fer-edge.toml"
    assert fer_edge("config", "init", path).returncode == 0
    assert fer_edge("config", "check", "--config", path).returncode == 0
    before = path.read_text()
    again = fer_edge("config", "init", path)
    assert again.returncode == 2
    assert len(again.stderr.splitlines()) == 1
    assert path.read_text() == before
    shown = json.loads(fer_edge("config", "show", "--json", "--config", path, "--set", "model.threads=2").stdout)
    assert shown["settings"]["model.threads"] == {
        "value": 2,
        "from": "--set model.threads",
        "variable": "FER_EDGE_MODEL_THREADS",
    }


def test_check_refuses_what_is_not_on_this_machine():
    for change in ("model.bundle=nowhere", "detector.spec=harr"):
        outcome = fer_edge("config", "check", "--set", change)
        assert outcome.returncode == 2
        assert len(outcome.stderr.splitlines()) == 1


def test_a_detector_of_close_ups_is_looked_at_too_and_its_folder_is_among_the_named_ones():
    for close_up, said in (("tflite:/nowhere", "/nowhere"), ("haar", "take bundles of one detector for both")):
        changes = ("detector.scan_every=3", f"detector.close_up={close_up}")
        config = load_config(changes=changes, environment={}).config
        with pytest.raises(ExplainedError, match=said):
            check_usable(config)
        assert named_paths(config).get("detector.close_up") == (None if close_up == "haar" else Path("/nowhere"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("source.spec=sintetic", "did you mean 'synthetic'"),
        ("accelerator.spec=edgetpu:usb:x", "expected usb"),
        ("detector.spec=harr", "harr"),
        ("output.annotate=seen.avi", "ends in .mp4"),
        ("mqtt.ca_file=/nowhere", "mqtt.ca_file = '/nowhere', which is no file"),
        ("kiosk.token_file=/nowhere", "kiosk.token_file"),
    ],
)
def test_a_setting_that_a_run_would_refuse_is_refused_before(change, said):
    with pytest.raises(ExplainedError, match=said):
        check_usable(load_config(changes=(change,), environment={}).config)


def test_an_extra_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(config_check, "_EXTRAS", {"mqtt": ("no_such_module",), "kiosk": ("nor_this_one",)})
    config = load_config(flags={"mqtt.url": "mqtt://broker:1883"}, environment={}).config
    with pytest.raises(UsageError, match=r"fer-edge\[mqtt\]"):
        check_usable(config)
    check_usable(Config())
    with pytest.raises(UsageError, match=r"fer-edge\[kiosk\]"):
        check_usable(Config(), served=True)
