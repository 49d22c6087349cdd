"""What went wrong, as RFC 9457 writes it: `application/problem+json` with a status, its phrase, and a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

__all__ = ["PROBLEM_TYPE", "problem", "problem_bytes"]

PROBLEM_TYPE = "application/problem+json"


def problem_bytes(status: int, detail: str) -> bytes:
    """The document: type "about:blank", for the status says what kind of problem it is."""
    title = HTTPStatus(status).phrase
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what was received, what was expected and what to do."""
    return Response(problem_bytes(status, detail), status, dict(headers or {}), PROBLEM_TYPE)
