"""`fer-edge service install|remove|status`: a systemd service that starts at boot and comes back by itself."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.account import Account
from edge_runtime.errors import ServiceError
from edge_runtime.files import write_whole
from edge_runtime.settings.check import check_usable, named_paths
from edge_runtime.settings.config import DEFAULT, PREFIX, Config, Loaded, load_config
from edge_runtime.unit import MARK, Unit, kiosk_entry, unit_text

__all__ = ["run"]

SERVICE = "fer-edge.service"
KIOSK = "fer-edge-kiosk.desktop"
PATIENCE_S = 60
STATE_FOLDER = Path("/var/lib/fer-edge")
PRIVATE = (Path("/tmp"), Path("/var/tmp"))
"""Folders of which a system unit sees its own (PrivateTmp)."""

_SHOWN = ("ActiveState", "SubState", "StatusText", "NRestarts", "ExecMainStartTimestamp", "MemoryCurrent", "Result")


@dataclass(frozen=True)
class _Places:
    """Where the files of the system or of one user lie."""

    unit: Path
    kiosk: Path


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; `status` returns 1 where the service does not run."""
    places = _places(arguments.user)
    if arguments.action == "install":
        return _install(arguments, places)
    if arguments.action == "remove":
        return _remove(arguments.user, places)
    return _status(arguments.user, places)


def _install(arguments: argparse.Namespace, places: _Places) -> int:
    loaded = load_config(arguments.config, changes=tuple(arguments.set))
    _check_settings(loaded, arguments.user)
    texts = {places.unit: unit_text(_unit(arguments, loaded))}
    if arguments.kiosk:
        texts[places.kiosk] = kiosk_entry(_kiosk_url(loaded), os.path.abspath(sys.executable))
    if arguments.print:
        print("\n".join(f"# {path}\n{text}" for path, text in texts.items()), end="")
        return 0
    _may_write(arguments.user)
    check_usable(loaded.config, served=arguments.kiosk)
    if not arguments.user:
        _check_account(Account(_account(arguments.run_as)), loaded)
    _systemctl(arguments.user, "show", "--property=Version")  # before anything is written: is there a manager to ask?
    for path in texts:
        _check_ours(path)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(
                f"{path.parent}: {error.strerror}", "a folder that can be made", "check its rights"
            ) from error
        write_whole(path, text.encode())
        path.chmod(0o644)
        print(f"written: {path}")
    _systemctl(arguments.user, "daemon-reload")
    _systemctl(arguments.user, "enable", SERVICE)
    if not arguments.no_start:
        # A service that tells when it is ready would be waited for; a camera may come much later.
        _systemctl(arguments.user, "restart", "--no-block", SERVICE)
    again = " --user" if arguments.user else ""
    print(f"{'enabled' if arguments.no_start else 'started'}; see: fer-edge service status{again}")
    if arguments.user:
        print("it runs while you are logged in; to start at boot: sudo loginctl enable-linger $USER")
    return 0


def _unit(arguments: argparse.Namespace, loaded: Loaded) -> Unit:
    config, file = loaded.config, loaded.file
    script = Path(os.path.abspath(sys.executable)).parent / "fer-edge"
    command = [str(script)] if script.exists() else [os.path.abspath(sys.executable), "-m", "edge_runtime"]
    command += ["serve"] if arguments.kiosk else ["run", "--no-display"]
    if not arguments.kiosk and loaded.origins["output.format"] == DEFAULT:
        # A journal that takes several lines a second for months wears out an SD card, and nobody asked it to keep them.
        command += ["--format", "none"]
    if file is not None:
        command += ["--config", os.path.abspath(file)]
    for change in arguments.set:
        command += ["--set", change]
    writable = []
    for value in _outputs(config):
        folder = Path(value).parent
        if folder != STATE_FOLDER and folder not in writable:
            writable.append(folder)
    return Unit(tuple(command), config.service, "" if arguments.user else _account(arguments.run_as), tuple(writable))


def _kiosk_url(loaded: Loaded) -> str:
    """The page that the browser opens: the one that is named, or the one that is served."""
    config = loaded.config
    if loaded.origins["service.kiosk_url"] != DEFAULT:
        return config.service.kiosk_url
    if config.kiosk.port == 0:
        raise ServiceError("kiosk.port = 0 with --kiosk", "a port that the browser can know", "kiosk.port = 8080")
    host = config.kiosk.host if config.kiosk.host not in ("0.0.0.0", "::", "localhost") else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{config.kiosk.port}/"


def _check_settings(loaded: Loaded, user: bool) -> None:
    """What is right in this terminal and not in a service."""
    named = named_paths(loaded.config)
    for name, path in named.items():
        if not path.is_absolute():
            raise ServiceError(
                f"{name} = {str(path)!r}",
                "an absolute path, for a service starts in another folder",
                "write the whole path",
            )
    if loaded.file is not None:
        named["--config"] = Path(os.path.abspath(loaded.file))
    for name, path in named.items():
        if not user and any(path.is_relative_to(folder) for folder in PRIVATE):
            raise ServiceError(
                f"{name} = {str(path)!r}", "a place outside /tmp, for the service has one of its own", "move it"
            )
    for name, origin in loaded.origins.items():
        if origin.startswith(PREFIX):
            raise ServiceError(
                f"{name} from the environment variable {origin}",
                "settings that the service sees too",
                f"unset {origin}, and write it into the file or give --set {name}=…",
            )


def _check_account(account: Account, loaded: Loaded) -> None:
    """What root reads and writes, the service's account may not."""
    for name, path in _inputs(loaded).items():
        if not account.may_read(path):
            raise ServiceError(
                f"{name} = {str(path)!r}, which {account.name} may not read",
                "a file for the account that the service runs as",
                f"sudo chown {account.name} {path}, and its folder open to it",
            )
    for value in _outputs(loaded.config):
        folder = Path(value).parent
        if folder != STATE_FOLDER and not account.may_write(folder):
            raise ServiceError(
                f"{value}, in a folder that {account.name} may not write to",
                "a folder of the account that the service runs as",
                f"sudo install -d -o {account.name} {folder}, or {STATE_FOLDER}/…",
            )
    if not account.may_run(Path(sys.executable)):
        raise ServiceError(
            f"{sys.executable}, which {account.name} may not run",
            "an environment that the account can reach",
            "make it outside another account's home, or name another --run-as",
        )


def _inputs(loaded: Loaded) -> dict[str, Path]:
    outputs = _outputs(loaded.config)
    named = {name: path for name, path in named_paths(loaded.config).items() if str(path) not in outputs}
    return named if loaded.file is None else {**named, "--config": loaded.file}


def _outputs(config: Config) -> list[str]:
    return [value for value in (config.log.path, config.output.annotate) if value]


def _account(named: str | None) -> str:
    account = named or os.environ.get("SUDO_USER") or ""
    if not account:
        raise ServiceError(
            "no account for the service", "one without root's rights, in the group video", "--run-as NAME, or --user"
        )
    return account


def _remove(user: bool, places: _Places) -> int:
    present = [path for path in (places.unit, places.kiosk) if path.exists()]
    if not present:
        print(f"nothing to remove: no {places.unit}")
        return 0
    _may_write(user)
    for path in present:
        _check_ours(path)
    if places.unit in present:
        _systemctl(user, "disable", "--now", SERVICE)
    for path in present:
        path.unlink()
        print(f"removed: {path}")
    _systemctl(user, "daemon-reload")
    return 0


def _status(user: bool, places: _Places) -> int:
    if not places.unit.exists():
        print(f"not installed: no {places.unit}")
        return 1
    answer = _systemctl(user, "show", SERVICE, f"--property={','.join(_SHOWN)}")
    facts = dict(line.partition("=")[::2] for line in answer.splitlines() if "=" in line)
    for name in _SHOWN:
        print(f"{name:<24}{facts.get(name) or '-'}")
    log = f"journalctl {'--user ' if user else ''}-u {SERVICE}"
    print(f"{'log':<24}{log}")
    return 0 if facts.get("ActiveState") == "active" else 1


def _places(user: bool) -> _Places:
    if not user:
        return _Places(Path("/etc/systemd/system") / SERVICE, Path("/etc/xdg/autostart") / KIOSK)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return _Places(home / "systemd" / "user" / SERVICE, home / "autostart" / KIOSK)


def _may_write(user: bool) -> None:
    if not user and os.geteuid() != 0:
        raise ServiceError(
            "a system service, asked for without root's rights", "sudo", "sudo fer-edge service …, or --user"
        )


def _check_ours(path: Path) -> None:
    """Somebody's own unit of that name is neither replaced nor removed."""
    try:
        theirs = path.exists() and not path.read_text(encoding="utf-8").startswith(MARK)
    except (OSError, UnicodeDecodeError):
        theirs = True
    if theirs:
        raise ServiceError(f"{path}, which fer-edge did not write", "a name that is free", "move that file away")


def _systemctl(user: bool, *words: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise ServiceError("no systemctl on this machine", "systemd", "start fer-edge run by what starts services here")
    command = [program, *(["--user"] if user else []), *words]
    try:
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"systemctl {' '.join(words)} did not end", "an answer", "see systemctl status") from error
    if outcome.returncode != 0:
        said = outcome.stderr.strip().replace("\n", " ") or f"exit code {outcome.returncode}"
        raise ServiceError(f"systemctl {' '.join(words)}: {said}", "systemd running here", "see journalctl -xe")
    return outcome.stdout
