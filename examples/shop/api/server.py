"""The shop's HTTP interface.

GET  /health      200 when both stores answer, 503 when not
GET  /products    the products, and where the answer came from
POST /orders      {"product": ID, "quantity": N}: 201 with the order's number, 409 when sold out
"""

import json
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from store import Store

LARGEST_BODY = 64 * 1024


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store = None  # set before the server starts

    def do_GET(self):
        if self.path == "/health":
            self._answer_from(self._health)
        elif self.path == "/products":
            self._answer_from(self._products)
        else:
            self._send(404, {"error": f"nothing is at {self.path}"})

    def do_POST(self):
        if self.path == "/orders":
            self._answer_from(self._order)
        else:
            self._send(404, {"error": f"nothing is at {self.path}"})

    def _health(self):
        self.store.check()
        return 200, {"status": "ok"}

    def _products(self):
        products, source = self.store.products()
        return 200, {"products": products, "from": source, "served_by": socket.gethostname()}

    def _order(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= LARGEST_BODY:
            return 400, {"error": f"a body of 1 to {LARGEST_BODY} bytes is needed"}
        try:
            body = json.loads(self.rfile.read(length))
            product, quantity = int(body["product"]), int(body["quantity"])
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "product and quantity are needed, both numbers"}
        if quantity < 1:
            return 400, {"error": "quantity is 1 or more"}
        number = self.store.order(product, quantity)
        if number is None:
            return 409, {"error": "there are not that many"}
        return 201, {"order": number}

    def _answer_from(self, action):
        try:
            status, body = action()
        except Exception as error:  # a store that is away is an answer, not the end of the server
            status, body = 503, {"error": str(error).strip()}
        self._send(status, body)

    def _send(self, status, body):
        data = (json.dumps(body) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code="-", size="-"):
        if self.path != "/health":
            super().log_request(code, size)


def main():
    Handler.store = Store()
    server = ThreadingHTTPServer(("", 8000), Handler)
    # As PID 1 it has no default action for SIGTERM. shutdown() waits for the loop, so not from here.
    signal.signal(
        signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start()
    )
    print("listening on port 8000", flush=True)
    server.serve_forever()


main()
