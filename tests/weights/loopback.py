"""A small HTTP server on loopback that breaks off, redirects and lies on demand."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server serves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    break_after: dict[str, list[int]] = field(default_factory=dict)
    """Bytes to send before the connection is cut, one entry per request."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request."""
    passwords: list[str | None] = field(default_factory=list)
    """The Authorization header of each request."""
    types: dict[str, str] = field(default_factory=dict)
    """Content types."""
    base: str = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        site, path, asked = self.site, self.path, self.headers.get("Range")
        site.asked.append((path, asked))
        site.passwords.append(self.headers.get("Authorization"))
        if path in site.redirects:
            return self._answer(302, b"", {"Location": site.redirects[path]})
        if site.statuses.get(path):
            return self._answer(site.statuses[path].pop(0), b"no")
        if path not in site.files:
            return self._answer(404, b"not here")
        body, headers, status = site.files[path], {}, 200
        if path in site.types:
            headers["Content-Type"] = site.types[path]
        etag = site.etags.get(path)
        if etag:
            headers["ETag"] = etag
        if asked and etag and self.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body, status = body[start:], 206
        return self._answer(status, body, headers)

    def _answer(self, status, body, headers=None):
        cuts = self.site.break_after.get(self.path)
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cuts:
            self.wfile.write(body[: cuts.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(body)


@contextlib.contextmanager
def serve() -> Iterator[Site]:
    """A running site; ``site.base`` is its address without a trailing slash."""
    site = Site()
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
