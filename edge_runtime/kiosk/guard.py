"""Stands before every page and every answer: the right host, the right origin, the token; and headers that browsers obey."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_runtime.kiosk.access import COOKIE, Access
from edge_runtime.kiosk.problems import problem

__all__ = ["MOST_HEAD_BYTES", "Guard", "with_key"]

MOST_HEAD_BYTES = 32_768
"""A request's line and headers; a browser sends about one thousand."""


# Nothing from elsewhere, nothing inline. blob: for the picture that a visitor chose; it never becomes a script.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
_YEAR_S = 365 * 24 * 3600


class Guard:
    """ASGI middleware.

    Args:
        app: what answers those who may ask.
        access: who that is.
        open_paths: beginnings of paths that hold nothing of anybody and need no token, such as "/assets/".
        pages: paths at which a browser is shown a form for the token instead of a refusal.
        form: the page with that form; gets the path to go on to.
    """

    def __init__(
        self, app: ASGIApp, access: Access, open_paths: tuple[str, ...], pages: tuple[str, ...], form: bytes
    ) -> None:
        self._app, self._access, self._open_paths, self._pages, self._form = app, access, open_paths, pages, form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        # A head that comes at once is whole before the connection counts it.
        size = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        size += len(scope.get("raw_path", b"")) + len(scope["query_string"])
        if size > MOST_HEAD_BYTES:
            detail = f"a head of {size} bytes; expected at most {MOST_HEAD_BYTES}; send fewer or shorter headers"
            return problem(431, detail, {"Connection": "close"})
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._access.knows_host(host):
            detail = f"Host {host[:100]!r}; expected this machine's name or address; add the name to kiosk.names"
            return problem(403, detail)
        if _from_elsewhere(scope["method"], headers, host):
            return problem(
                403, "a request that another site's page made; expected one of this site; open the page itself"
            )
        path = scope["path"]
        if not self._access.token or path.startswith(self._open_paths):
            return None
        return self._asked_for_token(scope, headers)

    def _asked_for_token(self, scope: Scope, headers: Headers) -> Response | None:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._access.admits(shown.strip()):
            return None
        if self._access.admits_key(cookie_parser(headers.get("cookie", "")).get(COOKIE, "")):
            return None
        path = scope["path"]
        page = path in self._pages and scope["method"] in ("GET", "HEAD")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in query if name == "token"]
        if page and tokens and self._access.admits(tokens[-1]):
            rest = urlencode([item for item in query if item[0] != "token"])
            return with_key(RedirectResponse(quote(path) + (f"?{rest}" if rest else ""), 303), self._access)
        if page and "text/html" in headers.get("accept", ""):
            return Response(self._form, 401, {"WWW-Authenticate": "Bearer"}, "text/html; charset=utf-8")
        wrong = bool(tokens or shown)
        detail = (
            f"{'a wrong token' if wrong else 'no token'}; expected Authorization: Bearer TOKEN; see kiosk.token_file"
        )
        return problem(401, detail, {"WWW-Authenticate": 'Bearer error="invalid_token"' if wrong else "Bearer"})


def with_key(response: Response, access: Access) -> Response:
    """Gives a browser what it shows from now on. The cookie is not for scripts and never goes to another site."""
    response.set_cookie(COOKIE, access.key, max_age=_YEAR_S, path="/", httponly=True, samesite="strict")
    return response


def _from_elsewhere(method: str, headers: Headers, host: str) -> bool:
    """Whether a page of another site asks in its visitor's browser. Programs send neither header."""
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "")
    if site in ("cross-site", "same-site") and not (mode == "navigate" and method in ("GET", "HEAD")):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() != host.strip().lower()
    except ValueError:
        return True
