"""A server on loopback that behaves and misbehaves like a data archive."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field


@dataclass
class Archive:
    """What the server holds, and how it misbehaves; every request is kept.

    ``faults`` maps a file's name to what happens on its next requests, in order: ``drop`` closes the connection half
    way, an integer answers with that status; nothing left means the file is served well.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    stated: dict[str, dict] = field(default_factory=dict)
    faults: dict[str, list] = field(default_factory=dict)
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    def entries(self):
        for name, content in self.files.items():
            checksum = "md5:" + hashlib.md5(content).hexdigest()
            entry = {"key": name, "size": len(content), "checksum": checksum}
            yield {**entry, "links": {"self": f"{self.url}/files/{name}"}, **self.stated.get(name, {})}


def start(archive: Archive) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_GET(self):
            archive.requests.append((self.path, self.headers.get("Range")))
            if self.path == "/records/7":
                self.answer(200, json.dumps({"files": list(archive.entries())}).encode())
            elif self.path.startswith("/files/"):
                self.serve(self.path.removeprefix("/files/"))
            else:
                self.answer(404, b"{}")

        def serve(self, name):
            content = archive.files[name]
            fault = archive.faults.get(name, [])
            fault = fault.pop(0) if fault else None
            if isinstance(fault, int):
                self.answer(fault, b"")
                return
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            begin = int(asked[1]) if asked and archive.ranges else 0
            if begin >= len(content) > 0 and asked and archive.ranges:
                self.answer(416, b"")
                return
            headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else {}
            rest = content[begin:]
            self.answer(206 if begin else 200, rest, headers, cut=len(rest) // 2 if fault == "drop" else None)

        def answer(self, status, body, headers=None, cut=None):
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            archive.sent += len(body if cut is None else body[:cut])
            self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    archive.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
