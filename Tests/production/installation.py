"""An installation as the world sees it (a real stack, its dashboard by HTTPS, and port 80's part played by a redirect), and
scripts/smoke.py, which looks at one."""

import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.stack import ROOT, Stack, dashboard, free_port


class Redirect:
    """Leads every request by plain HTTP to `target`; None: answers it instead."""

    def __init__(self, target):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(301 if target else 200)
                if target:
                    self.send_header("Location", target + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Installation:
    def __init__(self, **variables):
        dashboard()
        self.tls_port = free_port()
        self.url = f"https://localhost:{self.tls_port}"
        self.stack = Stack(PUBLIC_URL=self.url, **variables)
        self.redirect = Redirect(self.url)

    def up(self):
        self.stack.up()
        certificates = Path(self.stack.ca).parent
        # Where the local setup looks for what production's entrypoint writes: listening by TLS, with our own authority.
        extra = next(self.stack.home.glob("services/nginx")) / "extra"
        extra.mkdir(exist_ok=True)
        (extra / "tls.conf").write_text(
            f"listen 127.0.0.1:{self.tls_port} ssl http2;\nssl_protocols TLSv1.2 TLSv1.3;\n"
            f"ssl_certificate {certificates}/server.crt;\nssl_certificate_key {certificates}/server.key;\n")
        self.stack.restart("nginx")
        return self

    def destroy(self):
        self.redirect.close()
        self.stack.destroy()


def installation(**variables):
    """For fixtures: `yield from`."""
    place = Installation(**variables)
    try:
        yield place.up()
    finally:
        place.destroy()


class Said:
    """What a run of the program said: `said["headers"]` is the verdict and the text of that line."""

    def __init__(self, done):
        self.status, self.output = done.returncode, done.stdout
        self.lines = dict(re.findall(r"^(?:OK  |FAIL|skip)  ([^:\n]+): (.*)$", done.stdout, re.MULTILINE))
        self.verdicts = {name: verdict.strip() for verdict, name in
                         re.findall(r"^(OK  |FAIL|skip)  ([^:\n]+): ", done.stdout, re.MULTILINE)}
        self.errors = done.stderr

    def __getitem__(self, name):
        return self.verdicts[name], self.lines[name]

    def named(self, verdict):
        return {name for name, said in self.verdicts.items() if said == verdict}


def smoke(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PLANTOPS_")}
    # -S: nothing but Python itself, as on a machine that has nothing else.
    done = subprocess.run([sys.executable, "-S", ROOT / "scripts" / "smoke.py", *map(str, arguments)], timeout=120,
                          capture_output=True, text=True, env={**environment, **variables})
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done)
