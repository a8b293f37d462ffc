"""A local HTTP server that plays somebody else's, as discord.py and llm.py do."""

import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener:
    """Calls `take(handler, path, body)`, of whoever derives from it, for each request, in a thread of its connection's
    own. `connections` counts all that were ever made."""

    def __init__(self, port=0):
        self.connections = 0
        self.closing = threading.Event()
        listener = self

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128
            allow_reuse_address = True

            def get_request(self):
                request = super().get_request()
                listener.connections += 1
                return request

            def handle_error(self, *_):
                pass  # A client that has gone.

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def handle_any(self):
                chunked = (self.headers.get("Transfer-Encoding") or "").lower() == "chunked"
                body = self.chunks() if chunked else self.rfile.read(int(self.headers.get("Content-Length") or 0))
                # Not self.path, in which Python has already merged leading slashes.
                listener.take(self, self.requestline.split(" ")[1], body)

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def start(self, status, headers, length):
                """Status and headers of an answer; `length` is None when that would say too much, as with a 204."""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                self.end_headers()

            def tear_down(self):
                """Ends the connection without a word."""
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.rfile.close()
                self.wfile.close()
                self.connection.close()
                raise ConnectionAbortedError

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
