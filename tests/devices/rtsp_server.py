"""A network camera for tests: RTSP (RFC 2326) with motion JPEG (RFC 2435) over the same TCP connection, for one viewer at a time."""

import base64
import socket
import struct
import threading
import time

import cv2
import numpy as np

_FRAGMENT = 1200


class RtspServer:
    """Sends pictures of one colour, 20 a second, as long as `sending` is set.

    Attributes:
        url: with user and password.
        sending: an event; cleared, the connection stays and nothing comes.
    """

    def __init__(self, colour=(200, 40, 40), user="me", password="hunter2"):
        image = np.full((96, 128, 3), colour, np.uint8)
        self._tables, self._scan = _jpeg_parts(cv2.imencode(".jpg", image)[1].tobytes())
        self._allowed = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"rtsp://{user}:{password}@127.0.0.1:{self.port}/live"
        self.sending = threading.Event()
        self.sending.set()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _serve(self):
        while not self._closing.is_set():
            try:
                viewer, _ = self._listener.accept()
            except OSError:
                return
            with viewer:
                try:
                    self._talk(viewer)
                except OSError:
                    continue

    def _talk(self, viewer):
        viewer.settimeout(0.05)
        heard, playing, number, due_s = b"", False, 0, 0.0
        while not self._closing.is_set():
            try:
                data = viewer.recv(4096)
                if not data:
                    return
                heard += data
            except TimeoutError:
                pass
            while b"\r\n\r\n" in heard:
                request, _, heard = heard.partition(b"\r\n\r\n")
                lines = request.decode("latin-1").split("\r\n")
                method = lines[0].split()[0] if not lines[0].startswith("$") else "RTCP"
                if method not in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"):
                    continue
                headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
                viewer.sendall(self._answer(method, headers))
                playing = playing or method == "PLAY"
                if method == "TEARDOWN":
                    return
            if playing and self.sending.is_set() and time.monotonic() >= due_s:
                due_s = time.monotonic() + 0.05
                number = self._send(viewer, number)

    def _answer(self, method, headers):
        status, extra, body = "200 OK", "", ""
        if method != "OPTIONS" and headers.get("Authorization") != self._allowed:
            status, extra = "401 Unauthorized", 'WWW-Authenticate: Basic realm="test"\r\n'
        elif method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"
            extra = f"Content-Type: application/sdp\r\nContent-Base: rtsp://127.0.0.1:{self.port}/live/\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        else:
            extra = "Session: 1\r\n"
        return f"RTSP/1.0 {status}\r\nCSeq: {headers['CSeq']}\r\n{extra}\r\n{body}".encode()

    def _send(self, viewer, number):
        stamp = int(time.monotonic() * 90_000) & 0xFFFFFFFF
        for at in range(0, len(self._scan), _FRAGMENT):
            part = self._scan[at : at + _FRAGMENT]
            last = at + _FRAGMENT >= len(self._scan)
            # RFC 2435, section 3.1: type 1 is 4:2:0, Q 255 says that the tables follow; sides in units of 8 pixels.
            head = struct.pack(">I4B", at, 1, 255, 128 // 8, 96 // 8)
            if at == 0:
                head += struct.pack(">BBH", 0, 0, len(self._tables)) + self._tables
            rtp = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), number & 0xFFFF, stamp, 7)
            packet = rtp + head + part
            viewer.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            number += 1
        return number


def _jpeg_parts(data):
    """Quantization tables, and the coded picture without headers and end mark."""
    tables, at = b"", 2
    while True:
        mark, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        at += 2 + length
        if mark == 0xDB:
            while segment:
                tables, segment = tables + segment[1:65], segment[65:]
        if mark == 0xDA:
            return tables, data[at:-2]
