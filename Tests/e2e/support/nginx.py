"""An nginx of a test's own, with the site configuration of production, in front of a backend that writes down what
nginx sends it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .stack import ROOT, dashboard, free_port
from .waiting import wait_until

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


class Received:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def all(self, name):
        """Every value of a header, also when it came twice or with `_` for `-`."""
        plain = name.lower().replace("_", "-")
        return [value for key, value in self.headers if key.lower().replace("_", "-") == plain]


class Upstream:
    """Answers every request alike, and keeps it in `received` as it came."""

    def __init__(self):
        self.received = []
        self.status, self.headers, self.body = 200, {"Content-Type": "application/json"}, b'{"from":"upstream"}'
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                # Not self.path, in which Python has already merged leading slashes.
                path = self.requestline.split(" ")[1]
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                upstream.received.append(Received(self.command, path, self.headers.items(), body))
                self.send_response(upstream.status)
                for name, value in upstream.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(upstream.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(upstream.body)

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def last(self):
        return self.received[-1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        pairs = [line.split(": ", 1) for line in lines[1:] if ": " in line]
        self.headers = {name.lower(): value for name, value in pairs}
        self.names = [name.lower() for name, _ in pairs]


class Nginx:
    """`extra` is put where production puts certificates and trusted proxies; the variables are the template's."""

    def __init__(self, extra="", upstream=None, **variables):
        self.upstream = upstream or Upstream()
        self.home = Path(tempfile.mkdtemp(prefix="plantops-nginx-"))
        self.port = free_port()
        (self.home / "extra").mkdir()
        (self.home / "extra" / "test.conf").write_text(extra)
        types = next(p for p in ("/etc/nginx/mime.types", "/usr/share/nginx/mime.types", "/usr/local/etc/nginx/mime.types")
                     if Path(p).exists())
        # Its own user keeps it out of the folders of this test, so it stays root where the tests are.
        user = "user root;" if os.geteuid() == 0 else ""
        self.render("nginx.conf", USER_DIRECTIVE=user, MIME_TYPES=types, STATE_DIR=self.home, LOG_DIR=self.home)
        self.render("plantops.conf", **{
            "NGINX_LISTEN": f"127.0.0.1:{self.port}", "API_UPSTREAM": f"127.0.0.1:{self.upstream.port}",
            "WEB_ROOT": dashboard(), "NGINX_EXTRA": self.home / "extra", **variables})
        with open(self.home / "error.log", "wb") as log:
            self.process = subprocess.Popen(
                [NGINX, "-e", "stderr", "-c", str(self.home / "nginx.conf"), "-p", str(self.home)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self.answers, 20, "nginx listens")
        except BaseException:
            self.close()
            raise

    def render(self, name, **variables):
        text = subprocess.run(
            [ROOT / "scripts" / "render-template.sh", ROOT / "deploy" / "nginx" / f"{name}.in",
             *(f"{key}={value}" for key, value in variables.items())], check=True, capture_output=True, text=True).stdout
        (self.home / name).write_text(text)

    def answers(self):
        assert self.process.poll() is None, self.log("error.log")
        with self.connect():
            return True

    def log(self, name):
        return (self.home / name).read_text(errors="replace")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.upstream.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Requests, byte by byte: a client library would put in order what is meant to be out of it.

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def raw(self, data):
        """What comes back until nginx closes the connection; None if that is nothing."""
        with self.connect() as s:
            s.sendall(data)
            answer = b""
            try:
                while part := s.recv(65536):
                    answer += part
            except ConnectionResetError:
                pass
        return Answer(answer) if answer else None

    def send(self, method, path, *headers, body=b"", host="plants.example"):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def get(self, path, *headers, **options):
        return self.send("GET", path, *headers, **options)
