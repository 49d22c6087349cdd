"""The systemd unit and the kiosk's autostart file, as text. `commands/service.py` puts them in their places."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import ServiceError
from edge_runtime.settings.service import ServiceSettings

__all__ = ["MARK", "Unit", "kiosk_entry", "unit_text"]

MARK = "# Written by fer-edge service install; changed by installing again."
"""The first line of every file that is ours to replace and to remove."""


@dataclass(frozen=True)
class Unit:
    """What a unit is made for.

    Attributes:
        command: the whole command line, absolute path first.
        settings: times and memory.
        user: the account of a system unit; empty for a unit of the user's own service manager.
        writable: folders that the service may write to, besides its own state.
    """

    command: tuple[str, ...]
    settings: ServiceSettings
    user: str = ""
    writable: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.command or not Path(self.command[0]).is_absolute():
            raise ValueError(f"command {self.command}: expected an absolute path first")
        if self.user and not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_.-]*", self.user):
            raise ServiceError(f"user {self.user!r}", "the name of an account", "name another --run-as")


def unit_text(unit: Unit) -> str:
    """The unit file. A system unit is shut in as far as cameras and a Coral allow; a user's manager cannot do all of that."""
    settings, system = unit.settings, bool(unit.user)
    lines = [
        MARK,
        "[Unit]",
        "Description=fer-edge, facial expression recognition",
        "# It starts again for as long as it takes: without this, five starts in ten seconds are the last.",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={' '.join(_quoted(part) for part in unit.command)}",
        "Restart=always",
        f"RestartSec={settings.restart_s:g}",
        f"TimeoutStartSec={settings.start_s:g}",
        "TimeoutStopSec=5",
        f"WatchdogSec={settings.watchdog_s:g}",
        "# A hang is killed at once: nothing is lost by it, and a core dump would hold pictures.",
        "WatchdogSignal=SIGKILL",
        "LimitCORE=0",
        f"MemoryMax={settings.memory_mb}M",
        "MemorySwapMax=0",
        "TasksMax=128",
        "OOMPolicy=stop",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "SystemCallArchitectures=native",
    ]
    if system:
        lines += _of_the_system(unit)
    lines += ["", "[Install]", f"WantedBy={'multi-user' if system else 'default'}.target", ""]
    return "\n".join(lines)


def _of_the_system(unit: Unit) -> list[str]:
    return [
        f"User={unit.user}",
        "SupplementaryGroups=video",
        "StateDirectory=fer-edge",
        "StateDirectoryMode=0700",
        "ProtectSystem=strict",
        "# Read-only rather than hidden: the environment that fer-edge is installed in may lie in a home.",
        "ProtectHome=read-only",
        *(f"ReadWritePaths={_path(folder)}" for folder in unit.writable),
        "PrivateTmp=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "CapabilityBoundingSet=",
        "AmbientCapabilities=",
        "DevicePolicy=closed",
        "# Cameras: V4L2, and on a Raspberry Pi libcamera's media devices, buffers and the firmware's own.",
        "DeviceAllow=char-video4linux rw",
        "DeviceAllow=char-media rw",
        "DeviceAllow=char-dma_heap rw",
        "DeviceAllow=/dev/vchiq rw",
        "DeviceAllow=/dev/vcio rw",
        "# Coral: on USB, and on PCIe.",
        "DeviceAllow=char-usb_device rw",
        "DeviceAllow=/dev/apex_0 rw",
    ]


def kiosk_entry(url: str, python: str) -> str:
    """An XDG autostart file: once the page answers, Chromium shows it full-screen, and again whenever it is closed.

    Args:
        url: the page, http or https.
        python: an interpreter that waits for it.

    Raises:
        ServiceError: not a plain URL.
    """
    if not re.fullmatch(r"https?://[A-Za-z0-9._~:/?#@!&()*+,;=\[\]-]+", url):
        raise ServiceError(f"kiosk_url {url!r}", "http://… without blanks and quotes", "correct service.kiosk_url")
    # Any answer will do: a server that asks for a token answers with its form.
    wait = (
        "import http.client, sys, urllib.parse; page = urllib.parse.urlsplit(sys.argv[1]); "
        'link = getattr(http.client, page.scheme.upper() + "Connection")(page.netloc, timeout=5); '
        'link.request("GET", "/"); link.getresponse()'
    )
    browser = (
        "$(command -v chromium || command -v chromium-browser)"
        " --kiosk --noerrdialogs --disable-session-crashed-bubble --disable-infobars --no-first-run --incognito"
    )
    script = (
        f"while true; do until {shlex.quote(python)} -c {shlex.quote(wait)} {shlex.quote(url)} 2>/dev/null;"
        f" do sleep 1; done; {browser} {shlex.quote(url)}; sleep 2; done"
    )
    return "\n".join(
        [
            MARK,
            "[Desktop Entry]",
            "Type=Application",
            "Name=fer-edge kiosk",
            f"Exec=/bin/sh -c {_desktop_quoted(script)}",
            "X-GNOME-Autostart-enabled=true",
            "",
        ]
    )


def _quoted(part: str) -> str:
    """A word of ExecStart: specifiers (%) and variables ($) doubled, blanks and quotes inside quotes (systemd.service(5))."""
    _one_line(part)
    doubled = part.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./$-]+", doubled):
        return doubled
    return '"' + doubled.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _path(folder: Path) -> str:
    """A folder that need not be there yet (-)."""
    _one_line(str(folder))
    doubled = f"-{folder}".replace("%", "%%")
    return doubled if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", doubled) else f'"{doubled}"'


def _one_line(text: str) -> None:
    if not text.isprintable():
        raise ServiceError(f"{text!r} in a unit file", "printable characters", "use another path")


def _desktop_quoted(script: str) -> str:
    """An argument of a desktop entry's Exec: quoted, and the file's own escapes on top (Desktop Entry Specification)."""
    quoted = "".join(f"\\{mark}" if mark in '"`$\\' else mark for mark in script)
    return '"' + quoted.replace("\\", "\\\\").replace("%", "%%") + '"'
