"""Who may ask: this machine alone, or whoever shows the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from edge_runtime.errors import ConfigError, UsageError
from edge_runtime.settings.config import read_secret
from edge_runtime.settings.kiosk import KioskSettings

__all__ = ["COOKIE", "LEAST_TOKEN", "Access", "access_of", "is_loopback"]

LEAST_TOKEN = 16
"""Characters: with 64 different ones, 96 bits, which nobody tries out."""

COOKIE = "fer-edge-key"

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True)
class Access:
    """Whom the server answers.

    Attributes:
        names: host names, in lower case, that a request may be addressed to; numeric addresses always may.
        token: what must be shown; empty for nothing.
    """

    names: frozenset[str]
    token: str = ""

    def __post_init__(self) -> None:
        if self.token and (len(self.token) < LEAST_TOKEN or not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", self.token)):
            raise ConfigError(
                f"a token of {len(self.token)} characters",
                f"at least {LEAST_TOKEN} letters, digits or . _ ~ + / = -",
                "openssl rand -hex 24 > FILE",
            )

    @property
    def key(self) -> str:
        """What a browser keeps instead of the token; the token cannot be told from it."""
        return hmac.new(self.token.encode(), b"fer-edge kiosk cookie", hashlib.sha256).hexdigest()

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this machine.

        A page elsewhere can point a name of its own at this machine and then read from it (DNS rebinding). It cannot do so
        with an address in numbers.
        """
        name = _without_port(host.strip().lower())
        if name is None:
            return False
        if name.startswith("["):
            return _is_address(name[1:-1])
        return _is_address(name) or name.rstrip(".") in self.names

    def admits(self, token: str) -> bool:
        """In the same time whatever the first wrong character."""
        return bool(self.token) and hmac.compare_digest(token.encode(), self.token.encode())

    def admits_key(self, key: str) -> bool:
        return bool(self.token) and hmac.compare_digest(key.encode(), self.key.encode())


def access_of(settings: KioskSettings) -> Access:
    """From the settings.

    Raises:
        UsageError: another address than loopback without a token.
        ConfigError: a token that cannot be read or is too short, or a name that is none.
    """
    token = read_secret(Path(settings.token_file)) if settings.token_file else ""
    if not token and not is_loopback(settings.host):
        raise UsageError(
            f"--host {settings.host} without a token",
            "127.0.0.1, or a token that visitors from elsewhere must show",
            "openssl rand -hex 24 > token, then --token-file token",
        )
    own = socket.gethostname().lower()
    named = [name.strip().lower() for name in settings.names.split(",") if name.strip()]
    for name in named:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"kiosk.names with {name!r}", "host names with commas between", "correct kiosk.names")
    host = () if _is_address(settings.host) else (settings.host.lower(),)
    return Access(frozenset({"localhost", own, own.partition(".")[0] + ".local", *host, *named}), token)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _without_port(host: str) -> str | None:
    match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?", host)
    return None if match is None else match[1]
