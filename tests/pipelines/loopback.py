"""A real HTTP server on this machine that misbehaves on demand, and small real videos to serve."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import numpy as np


def make_video(path: Path, seconds: float = 2.0, sound: bool = True, picture: bool = True) -> Path:
    """Noise at 160x120 and 25 fps with a tone; about 100 kB a second."""
    random = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25) if picture else None
        audio = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
            video.options = {"crf": "23", "preset": "ultrafast"}
            for index in range(round(25 * seconds)):
                picture_data = random.integers(0, 255, (120, 160, 3), dtype=np.uint8)
                frame = av.VideoFrame.from_ndarray(picture_data, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if audio is not None:
            times = np.arange(round(16000 * seconds)) / 16000
            tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
            for start in range(0, len(tone), 1024):
                piece = tone[None, start : start + 1024]
                sound_frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
                sound_frame.sample_rate = 16000
                sound_frame.pts, sound_frame.time_base = start, Fraction(1, 16000)
                container.mux(audio.encode(sound_frame))
            container.mux(audio.encode())
    return path


class Request(BaseHTTPRequestHandler):
    """One request; what happens is decided by the route of its path."""

    protocol_version = "HTTP/1.1"
    server: Loopback

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        with self.server.lock:
            self.server.seen.append((path, self.headers.get("Range")))
            count = sum(1 for name, _ in self.server.seen if name == path)
            self.server.headers_seen.append(dict(self.headers))
        route = self.server.routes.get(path)
        if route is None:
            self.answer(404, b"nothing here", "text/plain")
        else:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                route(self, count)

    def answer(
        self,
        status: int,
        body: bytes,
        kind: str = "video/mp4",
        length: int | None = None,
        **more: str,
    ) -> None:
        """Headers and body; ``length`` claims another length than the body's."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if length is not None and length != len(body):
            self.close_connection = True

    def serve(self, body: bytes, kind: str = "video/mp4") -> None:
        """The whole body, or the range that was asked for."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if match is None:
            self.answer(200, body, kind, Accept_Ranges="bytes")
            return
        start = int(match[1])
        end = min(int(match[2]) if match[2] else len(body) - 1, len(body) - 1)
        if start >= len(body):
            self.answer(416, b"", kind, Content_Range=f"bytes */{len(body)}")
            return
        piece = body[start : end + 1]
        self.answer(206, piece, kind, Content_Range=f"bytes {start}-{end}/{len(body)}")

    def reset(self, body: bytes, claimed: int) -> None:
        """Send ``body`` of a claimed length, then reset the connection as a dying server does."""
        self.answer(200, body, length=claimed, Accept_Ranges="bytes")
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


Route = Callable[[Request, int], None]
"""What to do with a request, and the how-manieth it is for its path."""


class Loopback(ThreadingHTTPServer):
    """Routes by path; every request is remembered as (path, Range header)."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.routes: dict[str, Route] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.headers_seen: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.release = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """The Range headers of the requests for one path, in order."""
        return [held for name, held in self.seen if name == path]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no event."""


@contextlib.contextmanager
def serving() -> Iterator[Loopback]:
    """A server on a free port for the length of the block."""
    server = Loopback()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
