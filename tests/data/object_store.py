"""An object store on loopback: serves the files of a folder over HTTP, without listing, and misbehaves when told to."""

from __future__ import annotations

import http.server
import re
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class ObjectStore:
    """What the server serves, and how it misbehaves.

    ``faults`` maps a path to what happens on its next requests, in order: an integer answers with that status,
    ``"drop"`` cuts the connection half way, ``"stall"`` answers nothing for a second.
    """

    folder: Path
    faults: dict[str, list] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""


def start(store: ObjectStore) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            path = self.path.partition("?")[0].lstrip("/")
            store.requests.append(path)
            fault = store.faults.get(path) or []
            fault = fault.pop(0) if fault else None
            file = store.folder / path
            if isinstance(fault, int):
                self.answer(fault, b"")
            elif not file.is_file():
                self.answer(404, b"")
            elif fault == "stall":
                time.sleep(1.0)
                self.close_connection = True
            else:
                self.answer(*self.content(file), cut=fault == "drop")

        def content(self, file):
            body = file.read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if not asked:
                return 200, body
            return 206, body[int(asked[1]) : int(asked[2]) + 1 if asked[2] else None]

        def answer(self, status, body, cut=False):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    store.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
