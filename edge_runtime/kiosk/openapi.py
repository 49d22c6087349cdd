"""The API's description, OpenAPI 3.1. Written by hand; the tests hold every answer against it."""

from __future__ import annotations

from typing import Any

from edge_runtime.kiosk.problems import PROBLEM_TYPE
from edge_runtime.kiosk.upload import MOST_BYTES
from edge_runtime.kiosk.vitals import KEPT_SAMPLES
from edge_runtime.version import __version__

__all__ = ["openapi_document"]

_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _object(description: str = "", **properties: Any) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "object", "properties": properties, "required": list(properties)}
    if description:
        document["description"] = description
    return document


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _map(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema, "description": description}


_EMOTIONS = _map(_SHARE, "probability of every label of the bundle")
_FAULTS = _map(_TEXT, "what is degraded: its name, and what is said about it; empty where all is well")

_SCHEMAS: dict[str, Any] = {
    "Problem": _object("RFC 9457", type=_TEXT, title=_TEXT, status=_WHOLE, detail=_TEXT),
    "Box": _object("pixels of the frame or picture", left=_NUMBER, top=_NUMBER, right=_NUMBER, bottom=_NUMBER),
    "ShownFace": _object(
        track={**_TEXT, "description": "a random name, of this visit only"},
        label={**_TEXT, "description": 'an expression, or "uncertain"'},
        score=_SHARE,
        reason={**_TEXT, "description": "why it is uncertain; empty for an expression"},
        emotions=_EMOTIONS,
        box=_or_null(_reference("Box")),
    ),
    "State": _object(
        number={**_WHOLE, "description": "counts results since the start"},
        expression={**_TEXT, "description": 'of the largest face, or "nobody"'},
        faces={**_list(_reference("ShownFace")), "description": "largest first"},
        frame=_or_null(_object(width=_WHOLE, height=_WHOLE)),
        frames_per_second=_NUMBER,
        temperature_c=_or_null(_NUMBER),
        accelerator={**_TEXT, "description": "what computes now"},
        camera={**_TEXT, "description": "opening, live, lost, ended, failed or closed; empty before the start"},
        processed={**_WHOLE, "description": "frames so far"},
        dropped={**_WHOLE, "description": "frames so far that a newer one replaced, or that could not be used"},
        faults=_FAULTS,
    ),
    "ReadFace": _object(label=_TEXT, score=_SHARE, emotions=_EMOTIONS, box=_reference("Box"), detector_score=_NUMBER),
    "Prediction": _object(
        width=_WHOLE,
        height=_WHOLE,
        faces={**_list(_reference("ReadFace")), "description": "largest first; empty for a picture without a face"},
        left_out={**_WHOLE, "description": "faces beyond the largest hundred"},
        took_ms=_NUMBER,
        bundle=_TEXT,
        bundle_sha256=_TEXT,
        detector=_TEXT,
    ),
    "Health": _object(status={"enum": ["ok", "degraded", "failing"]}, faults=_FAULTS),
    "History": _object(
        every_s=_NUMBER,
        columns=_list(_TEXT),
        rows={**_list({"type": "array"}), "description": "a row a sample, oldest first, in the order of `columns`"},
    ),
    "Setup": _object(language=_TEXT, mirror={"type": "boolean"}, keeps_pictures={"type": "boolean"}, version=_TEXT),
    "Keeper": _object(
        version=_TEXT,
        source=_TEXT,
        bundle=_TEXT,
        bundle_sha256=_TEXT,
        detector=_TEXT,
        accelerator={**_TEXT, "description": "what was asked to compute"},
        log={"type": "boolean"},
        board=_or_null({"type": "object"}),
        peak_memory_mb=_NUMBER,
        streams=_map(_WHOLE, "open streams"),
        faults=_list({"type": "object"}),
    ),
}


def _answer(description: str, kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _json(description: str, name: str) -> dict[str, Any]:
    return _answer(description, "application/json", _reference(name))


def _problem(description: str) -> dict[str, Any]:
    return _answer(description, PROBLEM_TYPE, _reference("Problem"))


def _get(summary: str, answers: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": answers}
    if parameters:
        operation["parameters"] = parameters
    return {"get": operation}


def openapi_document(asks_token: bool) -> dict[str, Any]:
    """The document.

    Args:
        asks_token: whether this server wants a token.
    """
    refusals = {"403": _problem("another Host than this machine's, or a request that another site's page makes")}
    if asks_token:
        refusals["401"] = _problem("no token, or a wrong one")
    too_many = {"503": _problem("too many streams are open")}
    seconds = {
        "name": "seconds",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": KEPT_SAMPLES, "default": 300},
    }
    paths: dict[str, Any] = {
        "/api/predict": {"post": _predict()},
        "/api/state": _get("The newest state", {"200": _json("who is there, and what is degraded", "State")}),
        "/api/events": _get(
            "Server-sent events: `state` (State) at most 12 times and at least once a second; `happened`, once, with an id",
            {"200": _answer("without an end", "text/event-stream", _TEXT), **too_many},
            [{"name": "Last-Event-ID", "in": "header", "schema": _TEXT}],
        ),
        "/api/stream": _get(
            "The live picture as Motion JPEG. X-Faces of a part: [[track, left, top, right, bottom], …] as shares of it",
            {"200": _answer("without an end", "multipart/x-mixed-replace", {}), **too_many},
        ),
        "/api/history": _get(
            "The last minutes, a sample a second",
            {"200": _json("samples", "History"), "400": _problem("seconds out of range")},
            [seconds],
        ),
        "/api/setup": _get("How the pages are to look", {"200": _json("settings", "Setup")}),
        "/api/keeper": _get("What the keeper's page shows", {"200": _json("facts", "Keeper")}),
        "/api/log": _get(
            "The event log as JSON lines",
            {"200": _answer("a line an event", "application/jsonl", _TEXT), "404": _problem("there is no event log")},
        ),
        "/healthz": _get(
            "Whether it works",
            {"200": _json("it does, perhaps degraded", "Health"), "503": _json("no results come", "Health")},
        ),
        "/metrics": _get("Figures for Prometheus", {"200": _answer("text format 0.0.4", "text/plain", _TEXT)}),
        "/openapi.json": _get("This document", {"200": _answer("OpenAPI 3.1", "application/json", {"type": "object"})}),
    }
    for item in paths.values():
        for operation in item.values():
            operation["responses"].update(refusals)
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "fer-edge",
            "version": __version__,
            "description": "Facial expressions in front of a camera, and in pictures that are sent. Errors follow RFC 9457.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS},
    }
    if asks_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _predict() -> dict[str, Any]:
    picture = {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}
    form = _object("the first file counts", picture={"type": "string", "contentMediaType": "image/*"})
    kinds = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
    return {
        "summary": "Faces and expressions in a picture; it is not kept",
        "requestBody": {
            "required": True,
            "content": {**dict.fromkeys(kinds, picture), "multipart/form-data": {"schema": form}},
        },
        "responses": {
            "200": _json("the faces; none is an answer too", "Prediction"),
            "400": _problem("no picture, or a form that cannot be read"),
            "408": _problem("the picture did not come in time"),
            "413": _problem(f"more than {MOST_BYTES} bytes"),
            "415": _problem("another kind than JPEG, PNG or WebP"),
            "422": _problem("a picture that is damaged, cut off, or claims too many pixels"),
            "503": _problem("too many pictures wait"),
        },
    }
