"""The embedded chain behind a real HTTP endpoint on the loopback address."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from navoracle.chain.embedded import EmbeddedChain
from navoracle.chain.rpc import NodeRefused


@contextmanager
def serving(chain: EmbeddedChain) -> Iterator[str]:
    """Serve JSON-RPC for the chain; yields the URL, with a key in its path as providers have it."""

    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with one_at_a_time:
                found = answer(chain, asked)
            body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], **found}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2/0123456789abcdef"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(chain: EmbeddedChain, asked: dict[str, Any]) -> dict[str, Any]:
    """The chain's answer as JSON-RPC."""
    try:
        return {"result": asyncio.run(chain.endpoint.request(asked["method"], asked["params"]))}
    except NodeRefused as refusal:
        data = "0x" + refusal.data.hex()
        return {"error": {"code": refusal.rpc_code, "message": refusal.detail, "data": data}}
