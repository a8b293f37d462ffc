"""`make smoke` says yes to a whole installation, and no to each of those that lack something."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from installation import Redirect, installation, smoke
from support.certificates import make, sign
from support.stack import ROOT, dashboard, free_port


@contextmanager
def serving(folder, context=None):
    """Its files, by HTTP or HTTPS; yields the port."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    server.daemon_threads = True
    if context:
        # The handshake in the thread of the request: one that is broken off must not end the server.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def place():
    yield from installation()


@pytest.fixture(scope="module")
def smoked(place):
    """`smoked(...)` looks at the installation, knowing its authority and its redirect."""
    def look(*arguments, **variables):
        return smoke(place.url, "--ca", place.stack.ca, "--http-port", place.redirect.port, *arguments, **variables)
    return look


@pytest.fixture
def password_file(place, tmp_path):
    file = tmp_path / "password"
    file.write_text(place.stack.settings["PLANTOPS_ADMIN_PASSWORD"] + "\n")
    return file


def test_a_whole_installation_passes_for_who_signs_in_with_a_password(place, smoked, password_file):
    said = smoked(PLANTOPS_SMOKE_EMAIL=place.stack.settings["PLANTOPS_ADMIN_EMAIL"],
                  PLANTOPS_SMOKE_PASSWORD_FILE=str(password_file))
    assert said.status == 0, said.output
    assert not said.named("FAIL")
    assert said.named("skip") <= {"old TLS"}, said.output
    assert said.named("OK") >= {"certificate", "plain HTTP", "strangers", "events", "broker's TLS", "plain MQTT",
                                "unknown clients", "sign-out", "compression"}
    assert "Secure" in said.lines["sign-in"]
    assert password_file.read_text().strip() not in said.output + said.errors


def test_a_token_of_a_viewer_is_enough_and_is_not_told(place, smoked):
    token = place.stack.make_token("viewer")
    said = smoked(PLANTOPS_SMOKE_TOKEN=token)
    assert said.status == 0, said.output
    assert said["sign-in"] == ("OK", "by token, as viewer")
    assert token not in said.output + said.errors


def test_without_sign_in_it_passes_and_says_what_was_left_out(place, smoked):
    said = smoked("--mqtt", f"localhost:{place.stack.mqtt_port}")
    assert said.status == 0, said.output
    assert {"sign-in", "plants", "storage", "events"} <= said.named("skip")
    assert said["unknown clients"][0] == "OK"


def test_plain_http_of_a_local_setup_passes_and_says_what_that_means(place):
    said = smoke(place.stack.settings["PLANTOPS_URL"], "--mqtt", f"localhost:{place.stack.mqtt_port}",
                 PLANTOPS_SMOKE_TOKEN=place.stack.make_token("viewer"))
    assert said.status == 0, said.output
    assert said["encryption"] == ("skip", "plain HTTP: whoever can listen on this network reads passwords and sessions")
    assert said["events"][0] == "OK"


def test_a_wrong_password_fails(place, smoked):
    said = smoked("--no-mqtt", PLANTOPS_SMOKE_EMAIL=place.stack.settings["PLANTOPS_ADMIN_EMAIL"],
                  PLANTOPS_SMOKE_PASSWORD="not the password")
    assert said.status == 1
    assert said["sign-in"] == ("FAIL", "answered 401; is the password right?")


def test_a_certificate_of_another_authority_fails_and_nothing_secret_is_sent(place, smoked, tmp_path):
    make(tmp_path / "other")
    token = place.stack.make_token("viewer")
    said = smoke(place.url, "--ca", tmp_path / "other" / "ca.crt", "--http-port", place.redirect.port,
                 "--mqtt", f"localhost:{place.stack.mqtt_port}", PLANTOPS_SMOKE_TOKEN=token)
    assert said.status == 1
    assert said["certificate"][0] == "FAIL" and "not trusted" in said.lines["certificate"]
    assert said["broker's TLS"][0] == "FAIL" and "--mqtt-ca" in said.lines["broker's TLS"]
    assert said["sign-in"] == ("skip", "nothing secret is sent over a connection that is not trusted")
    assert said.named("FAIL") == {"certificate", "broker's TLS"}, "the rest is in order"


def test_without_an_authority_one_s_own_certificate_is_not_trusted(place):
    said = smoke(place.url, "--no-mqtt")
    assert said.status == 1
    assert "--ca FILE" in said.lines["certificate"]
    said = smoke(place.url, "--no-mqtt", "--insecure", "--http-port", place.redirect.port)
    assert said.status == 0, said.output
    assert said["certificate"] == ("skip", "not checked, because of --insecure")


def test_a_certificate_for_another_name_fails(tmp_path):
    make(tmp_path)
    sign(tmp_path, tmp_path / "localhost-only", days=100)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "localhost-only.crt", tmp_path / "localhost-only.key")
    with serving(dashboard(), context) as port:
        said = smoke(f"https://127.0.0.1:{port}", "--ca", tmp_path / "ca.crt", "--no-mqtt")
        assert said["certificate"][0] == "FAIL" and "use a name that stands in it" in said.lines["certificate"]
        said = smoke(f"https://localhost:{port}", "--ca", tmp_path / "ca.crt", "--no-mqtt")
        assert said["certificate"][0] == "OK"


def test_a_certificate_that_ends_soon_fails(place, smoked):
    said = smoked("--no-mqtt", "--min-days", "900")
    assert said.status == 1
    assert said.named("FAIL") == {"certificate"}
    assert "renew" in said.lines["certificate"]


def test_plain_http_that_does_not_lead_to_https_fails(place):
    answers = Redirect(None)
    elsewhere = Redirect("https://elsewhere.example")
    try:
        for wrong in (answers, elsewhere):
            said = smoke(place.url, "--ca", place.stack.ca, "--no-mqtt", "--http-port", wrong.port)
            assert said.named("FAIL") == {"plain HTTP"}, said.output
    finally:
        answers.close()
        elsewhere.close()


def test_a_broker_that_lets_everybody_in_fails(place, smoked, tmp_path):
    """A real Mosquitto, with TLS and without."""
    port, plain = free_port(), free_port()
    certificates = tmp_path / "certificates"
    make(certificates)
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"allow_anonymous true\nuser root\nlistener {port} 127.0.0.1\ncertfile {certificates}/server.crt\n"
                      f"keyfile {certificates}/server.key\nlistener {plain} 127.0.0.1\n")
    broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", config], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in broker.stdout:
            if " running" in line:
                break
        said = smoked("--mqtt", f"localhost:{port}", "--mqtt-ca", certificates / "ca.crt")
        assert said.named("FAIL") == {"unknown clients"}, said.output
        assert "allow_anonymous false" in said.lines["unknown clients"]
        said = smoked("--mqtt", f"localhost:{plain}")
        assert said.named("FAIL") == {"broker's TLS"}, said.output
    finally:
        broker.terminate()
        broker.wait(10)
        broker.stdout.close()


def test_a_broker_that_also_speaks_without_tls_on_its_port_fails(place, smoked):
    """Somebody who answers both: TLS as the broker does, and CONNECT in the clear with CONNACK."""
    certificates = os.path.dirname(place.stack.ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificates}/server.crt", f"{certificates}/server.key")
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            try:
                with connection:
                    is_tls = connection.recv(1, socket.MSG_PEEK) == b"\x16"
                    if is_tls:
                        connection = context.wrap_socket(connection, server_side=True)
                    if connection.recv(1024):
                        connection.sendall(b"\x20\x02\x00" + (b"\x05" if is_tls else b"\x00"))
            except OSError:
                pass

    threading.Thread(target=answer, daemon=True).start()
    try:
        said = smoked("--mqtt", f"localhost:{server.getsockname()[1]}")
        assert said.named("FAIL") == {"plain MQTT"}, said.output
    finally:
        server.close()


def test_a_folder_of_files_behind_a_plain_server_fails(tmp_path):
    """The dashboard's files by a server that knows nothing of headers, API or hidden files."""
    shutil.copytree(dashboard(), tmp_path / "root")
    (tmp_path / "root" / ".env").write_text("ENCRYPTION_KEY=0\n")
    (tmp_path / "root" / "metrics").write_text("# TYPE plantops_up gauge\n")
    with serving(tmp_path / "root") as port:
        said = smoke(f"http://127.0.0.1:{port}", "--no-mqtt")
    assert said.status == 1
    assert said.named("FAIL") == {"headers", "assets", "dashboard", "servers", "backend", "hidden files", "metrics"}, said.output
    assert "Content-Security-Policy of /: missing" in said.lines["headers"]
    assert "/.env" in said.lines["hidden files"]


def test_an_api_that_asks_nobody_who_he_is_fails():
    # And where few requests are allowed, it waits for its turn.
    for place in installation(AUTH_MODE="disabled", RATE_LIMIT_API="20"):
        said = smoke(place.url, "--ca", place.stack.ca, "--http-port", place.redirect.port,
                     "--mqtt", f"localhost:{place.stack.mqtt_port}")
        assert said.status == 1
        assert said.named("FAIL") == {"problems", "strangers"}, said.output
        assert "AUTH_MODE must be required" in said.lines["strangers"]


@pytest.mark.parametrize("url, says", [
    ((), "no address"), (("plants.example.org",), "is no address of a dashboard"), (("ftp://plants.example.org",), "is no address"),
    (("https://plants.example.org/plants",), "has a path"), (("https://rosa:secret@plants.example.org",), "is no address"),
    (("https://plants.example.org:99999",), "is no address"),
], ids=["none", "bare", "scheme", "path", "password", "port"])
def test_a_wrong_address_is_said_in_one_line(url, says):
    said = smoke(*url)
    assert said.status == 64 and says in said.errors and said.errors.count("\n") == 1
    assert "https://plants.example.org" in said.errors, "what a right one looks like"


def test_a_host_that_is_not_there_is_said():
    said = smoke("https://nothing.invalid")
    assert said.status == 1 and said["reachable"][0] == "FAIL" and "no host nothing.invalid" in said.output
    said = smoke(f"http://127.0.0.1:{free_port()}")
    assert said.status == 1 and "is nginx running" in said.lines["reachable"]


def test_make_hands_the_address_on(place):
    def run(*arguments):
        return subprocess.run(["make", "-s", "-C", ROOT, "smoke", *arguments], capture_output=True, text=True, timeout=120)
    done = run(f"URL={place.url}", f"ARGS=--ca {place.stack.ca} --no-mqtt --http-port {place.redirect.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run().returncode != 0


# The last ones break the installation.

def test_a_broker_that_was_stopped_fails(place, smoked):
    place.stack.stop("mosquitto")
    try:
        said = smoked("--mqtt", f"localhost:{place.stack.mqtt_port}")
        assert said.status == 1
        assert {"broker's TLS"} <= said.named("FAIL"), said.output
    finally:
        place.stack.start("mosquitto")


def test_a_backend_that_was_stopped_fails(place, smoked):
    place.stack.stop("backend")
    try:
        said = smoked("--no-mqtt")
    finally:
        place.stack.start("backend")
    assert said.status == 1
    assert said["backend"] == ("FAIL", "answered 502; nginx does not reach the backend: is it running?")
    assert said["API"] == ("skip", "the backend does not answer")
    assert said["dashboard"][0] == "OK", "nginx still serves it"
