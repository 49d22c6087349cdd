"""A picture out of a request: raw bytes or a form, never more than may be, never on a disk."""

from __future__ import annotations

import asyncio

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

__all__ = ["MOST_BYTES", "UploadRefusedError", "picture_of"]

MOST_BYTES = 20_000_000
"""A phone's largest JPEG has about half of it."""

PATIENCE_S = 30.0
"""For the whole body: 20 MB in that time are 5 Mbit/s."""

_MOST_PART_HEADERS = 8_192


class UploadRefusedError(Exception):
    """A request without a usable picture: the status it is answered with, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


async def picture_of(request: Request) -> bytes:
    """The picture's bytes: the body of an `image/…` or `application/octet-stream`, or the first file of a form.

    Raises:
        UploadRefusedError: 400, 408, 413 or 415. Nothing is read of a body that announces more than `MOST_BYTES`.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise UploadRefusedError(413, _too_large(f"{int(announced)} bytes"))
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    into: _Raw | _FirstFile
    if kind == b"multipart/form-data":
        into = _FirstFile(options.get(b"boundary", b""))
    elif kind.startswith(b"image/") or kind in (b"", b"application/octet-stream"):
        into = _Raw()
    else:
        shown = kind.decode("latin-1")[:100]
        raise UploadRefusedError(
            415,
            f"a body of type {shown!r}; expected image/jpeg, image/png, image/webp or multipart/form-data; "
            "curl -H 'Content-Type: image/jpeg' --data-binary @picture.jpg",
        )
    count = 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for chunk in request.stream():
                count += len(chunk)
                if count > MOST_BYTES:
                    raise UploadRefusedError(413, _too_large(f"more than {MOST_BYTES} bytes"))
                into.write(chunk)
    except TimeoutError:
        raise UploadRefusedError(
            408, f"{count} bytes in {PATIENCE_S:g} s; expected the whole picture; send a smaller one"
        ) from None
    except ClientDisconnect:
        raise UploadRefusedError(400, "the sender hung up; expected the whole picture; send it again") from None
    data = into.whole()
    if not data:
        raise UploadRefusedError(400, "no picture; expected one as the body, or as a file in a form; see /openapi.json")
    return data


class _Raw:
    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, chunk: bytes) -> None:
        self._data += chunk

    def whole(self) -> bytes:
        return bytes(self._data)


class _FirstFile:
    """The first part with a file name, or else the first at all, in memory: form parsers of frameworks write to /tmp."""

    def __init__(self, boundary: bytes) -> None:
        if not boundary:
            raise UploadRefusedError(
                400, "a form without a boundary; expected multipart/form-data; boundary=…; use a library"
            )
        self._parts: list[tuple[bool, bytearray]] = []
        self._head = bytearray()
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header,
                    "on_header_value": self._header,
                    "on_headers_finished": self._headers,
                    "on_part_data": self._take,
                    "on_end": self._end,
                },
            )
        except (FormParserError, ValueError) as error:
            raise _bad_form(error) from None

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _bad_form(error) from None

    def whole(self) -> bytes:
        if not self._ended:
            raise UploadRefusedError(400, "a form that is cut off; expected its last boundary; send it again")
        files = [data for named, data in self._parts if named] or [data for _, data in self._parts]
        return bytes(files[0]) if files else b""

    def _begin(self) -> None:
        self._head.clear()

    def _header(self, data: bytes, start: int, end: int) -> None:
        self._head += data[start:end] + b"\n"
        if len(self._head) > _MOST_PART_HEADERS:
            raise UploadRefusedError(400, "headers of a part of a form that do not end; expected a name and a type")

    def _headers(self) -> None:
        self._parts.append((b"filename" in self._head.lower(), bytearray()))

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._parts[-1][1].extend(data[start:end])

    def _end(self) -> None:
        self._ended = True


def _bad_form(error: Exception) -> UploadRefusedError:
    return UploadRefusedError(400, f"a form that cannot be read ({error}); expected multipart/form-data; use a library")


def _too_large(what: str) -> str:
    return f"{what}; expected at most {MOST_BYTES} bytes; scale the picture down"
