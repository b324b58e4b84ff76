"""HTTP as AWS speaks it: connections stay open, and break where a fault says so."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from email.utils import formatdate
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from preflight.sandbox.faults.disturbance import Answer, Broken

# No answer to these has a body. https://www.rfc-editor.org/rfc/rfc9110#section-6.4.1
BODILESS = frozenset({"204", "304"})


class Server(ThreadingHTTPServer):
    """One thread for each connection, and no connection left when it is closed.

    `app` is the WSGI application; the attributes after it are what werkzeug's reading of requests
    wants to know of a server.
    """

    daemon_threads = True
    request_queue_size = 128
    multithread, multiprocess, ssl_context = True, False, None

    def __init__(self, port: int, app: Any, connection: type[Any]) -> None:
        self.app = app
        self.open_connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), connection)

    def server_bind(self) -> None:
        """Bind without asking for the name of this machine, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def server_close(self) -> None:
        """Close the port, and whatever connection is still open."""
        super().server_close()
        for connection in list(self.open_connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the server."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def make_server(port: int, application: Any) -> Server:
    """Open a port of this machine; raises OSError when it is taken."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Connection(MotoRequestHandler):
        """Keeps a connection open, sends each answer in one piece, and writes no access log.

        The application reads the whole body of each request, so that the next one begins where
        the last ended. Werkzeug's own way closes each connection, after waiting for more to come.
        """

        server: Any
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            """Begin with a connection."""
            super().setup()
            self.server.open_connections.add(self.connection)

        def finish(self) -> None:
            """End with a connection."""
            self.server.open_connections.discard(self.connection)
            super().finish()

        def run_wsgi(self) -> None:
            """Answer one request."""
            if self.headers.get("Expect", "").strip().lower() == "100-continue":
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            told: list[Any] = []
            try:
                chunks = self.server.app(self.make_environ(), lambda *given: told.extend(given))
            except Broken as broken:
                self.close_connection = True
                if broken.answer is not None:
                    self._send(broken.answer)
                if broken.is_reset:
                    _reset(self.connection, self.rfile)
                return
            self._send((told[0], told[1], b"".join(chunks)))

        def _send(self, answer: Answer) -> None:
            self.wfile.write(_written(answer, self.command, closes=self.close_connection))

        def log(self, *_: Any) -> None:
            """Stay silent: the call log says it better."""

    return Server(port, application, Connection)


def _written(answer: Answer, method: str, *, closes: bool) -> bytes:
    """Write status line, headers and body as they go over the wire."""
    status, headers, body = answer
    lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += ["Connection: close"] if closes else []
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return head if method == "HEAD" or status[:3] in BODILESS else head + body


def _reset(connection: socket.socket, reader: Any) -> None:
    """Close at once and for good: with nothing lingering the system says RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reader.close()
    connection.close()
