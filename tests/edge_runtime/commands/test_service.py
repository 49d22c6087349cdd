"""`fer-edge service` with a fake systemctl that notes what it is told, in a home that is the test's own."""

import os

import pytest

from tests.support import fer_edge


@pytest.fixture
def home(tmp_path):
    """An environment for the command: PATH begins with a fake systemctl."""
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/told\ntest ! -e {tmp_path}/absent || {{ echo "no bus" >&2; exit 1; }}\n'
        f'case "$*" in *show*) cat {tmp_path}/facts;; *enable*) test ! -e {tmp_path}/broken || {{ echo "no bus" >&2; exit 1; }};; esac\n'
    )
    script.chmod(0o755)
    (tmp_path / "facts").write_text(
        "ActiveState=active\nSubState=running\nStatusText=14 frames a second\nNRestarts=0\n"
    )
    return {**os.environ, "PATH": f"{tools}:/usr/bin:/bin", "XDG_CONFIG_HOME": str(tmp_path / "config")}


def told(tmp_path):
    return (tmp_path / "told").read_text().splitlines()


def service(home, *words):
    return fer_edge("service", *words, env=home)


def unit_path(tmp_path):
    return tmp_path / "config" / "systemd" / "user" / "fer-edge.service"


def test_a_service_is_installed_looked_at_and_removed(home, tmp_path):
    outcome = service(home, "install", "--user", "--kiosk", "--set", "source.spec=synthetic")
    assert outcome.returncode == 0, outcome.stderr
    text = unit_path(tmp_path).read_text()
    assert "edge_runtime serve" in text or "fer-edge serve" in text
    assert "--set source.spec=synthetic" in text
    kiosk = tmp_path / "config" / "autostart" / "fer-edge-kiosk.desktop"
    assert "chromium" in kiosk.read_text()
    assert told(tmp_path)[-3:] == [
        "--user daemon-reload",
        "--user enable fer-edge.service",
        "--user restart --no-block fer-edge.service",
    ]
    status = service(home, "status", "--user")
    assert status.returncode == 0
    assert "14 frames a second" in status.stdout
    (tmp_path / "facts").write_text("ActiveState=failed\n")
    assert service(home, "status", "--user").returncode == 1
    assert service(home, "remove", "--user").returncode == 0
    assert "--user disable --now fer-edge.service" in told(tmp_path)
    assert not unit_path(tmp_path).exists()
    assert not kiosk.exists()
    assert service(home, "status", "--user").returncode == 1
    assert service(home, "remove", "--user").returncode == 0


def test_print_shows_and_writes_nothing(home, tmp_path):
    outcome = service(home, "install", "--print", "--run-as", "pi", "--set", "log.path=/srv/fer/events.db")
    assert outcome.returncode == 0
    assert "User=pi" in outcome.stdout
    assert "ReadWritePaths=-/srv/fer" in outcome.stdout
    assert "run --no-display --format none" in outcome.stdout
    assert not (tmp_path / "told").exists()
    assert not (tmp_path / "config").exists()


def test_the_browser_opens_the_page_that_is_served(home):
    for changes, url in (
        (["kiosk.port=9000"], "http://127.0.0.1:9000/"),
        (["kiosk.host=0.0.0.0", "kiosk.port=9000"], "http://127.0.0.1:9000/"),
        (["kiosk.port=9000", "service.kiosk_url=http://wall.example/"], "http://wall.example/"),
    ):
        words = [word for change in changes for word in ("--set", change)]
        outcome = service(home, "install", "--print", "--user", "--kiosk", *words)
        assert f"{url} 2>/dev/null" in outcome.stdout
    outcome = service(home, "install", "--print", "--user", "--kiosk", "--set", "kiosk.port=0")
    assert outcome.returncode == 2
    assert "a port that the browser can know" in outcome.stderr


def test_a_configuration_is_checked_before_anything_is_written_and_named_by_its_whole_path(home, tmp_path):
    config = tmp_path / "fer-edge.toml"
    config.write_text("[service]\nwatchdog_s = 1\n")
    assert service(home, "install", "--user", "--config", config).returncode == 2
    config.write_text("[service]\nwatchdog_s = 12\n")
    assert service(home, "install", "--user", "--no-start", "--config", config).returncode == 0
    assert "WatchdogSec=12" in unit_path(tmp_path).read_text()
    assert f"--config {config}" in unit_path(tmp_path).read_text()
    assert not any("restart" in line for line in told(tmp_path))


def test_somebody_elses_unit_is_neither_replaced_nor_removed(home, tmp_path):
    unit_path(tmp_path).parent.mkdir(parents=True)
    unit_path(tmp_path).write_text("[Service]\nExecStart=/bin/mine\n")
    for action in ("install", "remove"):
        outcome = service(home, action, "--user")
        assert outcome.returncode == 2
        assert "did not write" in outcome.stderr
    assert "/bin/mine" in unit_path(tmp_path).read_text()


def test_what_cannot_work_is_one_line(home, tmp_path):
    (tmp_path / "broken").touch()
    wrong = [
        (home, ("install", "--user")),
        ({**home, "PATH": "/nowhere"}, ("install", "--user")),
        ({name: value for name, value in home.items() if name != "SUDO_USER"}, ("install", "--print")),
    ]
    for environment, words in wrong:
        outcome = service(environment, *words)
        assert outcome.returncode == 2, words
        assert len(outcome.stderr.splitlines()) == 1


def test_without_a_service_manager_nothing_is_written(home, tmp_path):
    (tmp_path / "absent").touch()
    assert "no bus" in service(home, "install", "--user").stderr
    assert not unit_path(tmp_path).exists()


def test_what_a_system_service_does_not_see_is_refused(home, tmp_path):
    outcome = service(home, "install", "--print", "--run-as", "pi", "--set", "log.path=/tmp/events.db")
    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert "outside /tmp" in outcome.stderr
    assert service(home, "install", "--print", "--user", "--set", "log.path=/tmp/events.db").returncode == 0


@pytest.mark.parametrize(
    ("changes", "environment", "said"),
    [
        (["log.path=events.db"], {}, "log.path = 'events.db'; expected an absolute path"),
        (["source.spec=file:clip.mp4?loop=true"], {}, "source.spec = 'clip.mp4'"),
        (["model.bundle=tests/bundles/tiny_grey"], {}, "model.bundle = 'tests/bundles/tiny_grey'"),
        (["mqtt.password_file=secret", "mqtt.username=me"], {}, "mqtt.password_file = 'secret'"),
        (["source.spec=sintetic"], {}, "did you mean 'synthetic'?"),
        (["detector.spec=yunet:/nowhere.onnx"], {}, "/nowhere.onnx"),
        (["kiosk.token_file=/nowhere"], {}, "kiosk.token_file = '/nowhere', which is no file"),
        ([], {"FER_EDGE_SOURCE_SPEC": "synthetic"}, "unset FER_EDGE_SOURCE_SPEC"),
    ],
)
def test_what_would_not_work_in_a_service_is_refused_before_anything_is_written(
    changes, environment, said, home, tmp_path
):
    words = [word for change in changes for word in ("--set", change)]
    outcome = service({**home, **environment}, "install", "--user", *words)
    assert outcome.returncode == 2
    assert said in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert not unit_path(tmp_path).exists()
