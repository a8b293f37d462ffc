"""The nginx in front of docs/deployment.md, as it stands there, but for ports and certificate."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from installation import smoke
from support.nginx import NGINX
from support.stack import ROOT, Stack, dashboard, free_port
from support.waiting import wait_until

PAGE = (ROOT / "docs/deployment.md").read_text()


def block(language):
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return text


class Front:
    """Two stacks of proxies: the documented one, and PlantOps' own behind it."""

    def __init__(self, home):
        dashboard()
        self.http, self.https = free_port(), free_port()
        self.url = f"https://localhost:{self.https}"
        self.stack = Stack(PUBLIC_URL=self.url)
        self.home, self.process = home, None

    def up(self):
        self.stack.up()
        extra = next(self.stack.home.glob("services/nginx")) / "extra"
        extra.mkdir(exist_ok=True)
        (extra / "proxy.conf").write_text(block("nginx-extra"))
        self.stack.restart("nginx")
        certificates = Path(self.stack.ca).parent
        site = block("nginx")
        for text, real in {
                "listen 80;": f"listen 127.0.0.1:{self.http};", "listen 443 ": f"listen 127.0.0.1:{self.https} ",
                "/etc/letsencrypt/live/plants.example.org/fullchain.pem": f"{certificates}/server.crt",
                "/etc/letsencrypt/live/plants.example.org/privkey.pem": f"{certificates}/server.key",
                "127.0.0.1:8080": f"127.0.0.1:{self.stack.environment['PLANTOPS_HTTP_PORT']}",
                "https://$host$request_uri": f"https://$host:{self.https}$request_uri",
                "server_name plants.example.org": "server_name localhost", "/var/www/html": str(self.home)}.items():
            assert text in site, f"{text} is not in the page any more"
            site = site.replace(text, real)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.home / "nginx.conf").write_text(
            f"{user} daemon off; pid {self.home}/pid; error_log stderr; events {{ }}\n"
            f"http {{ access_log off; client_body_temp_path {self.home}/b; proxy_temp_path {self.home}/p;\n"
            f"fastcgi_temp_path {self.home}/f; uwsgi_temp_path {self.home}/u; scgi_temp_path {self.home}/s;\n{site}}}\n")
        self.process = subprocess.Popen([NGINX, "-e", "stderr", "-c", self.home / "nginx.conf", "-p", self.home],
                                        stdin=subprocess.DEVNULL)
        wait_until(lambda: requests.get(f"http://127.0.0.1:{self.http}/", allow_redirects=False, timeout=5).status_code == 301,
                   20, "the proxy in front answers")
        return self

    def destroy(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
        self.stack.destroy()


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    front = Front(tmp_path_factory.mktemp("front"))
    try:
        yield front.up()
    finally:
        front.destroy()


def test_everything_that_can_be_seen_from_outside_is_right_behind_it(front):
    said = smoke(front.url, "--ca", front.stack.ca, "--http-port", front.http,
                 PLANTOPS_SMOKE_EMAIL=front.stack.settings["PLANTOPS_ADMIN_EMAIL"],
                 PLANTOPS_SMOKE_PASSWORD=front.stack.settings["PLANTOPS_ADMIN_PASSWORD"])
    assert said.status == 0, said.output
    assert "Secure" in said.lines["sign-in"] and said["events"][0] == "OK"


def test_the_client_s_address_is_known_and_cannot_be_forged(front):
    curl = shutil.which("curl")
    subprocess.run([curl, "-fsS", "--interface", "127.0.0.5", "--cacert", front.stack.ca, "-H", "X-Forwarded-For: 203.0.113.9",
                    "-o", os.devnull, f"{front.url}/api/live?where"], check=True, timeout=30)
    log = wait_until(lambda: [line for line in front.stack.log("nginx-access").splitlines() if " 127.0.0.5 " in line], 10,
                     "the request is in the log of PlantOps' nginx")
    assert len(log) == 1 and "203.0.113.9" not in front.stack.log("nginx-access")
