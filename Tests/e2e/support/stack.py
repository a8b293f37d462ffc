"""A private PlantOps: its own folder, ports, database cluster and broker, made by the script that `make up` uses."""

import functools
import json
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg

from .api import Api
from .waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "deploy" / "local" / "plantops-local"
# Variables of another PlantOps; and a language model is only asked where a test says so.
OTHERS = ("PLANTOPS_", "MQTT_", "POSTGRES_", "DATABASE_", "ANTHROPIC_", "OPENAI_")
COMPONENTS = ("postgres", "mosquitto", "backend", "nginx")


def binary():
    """The program under test: `PLANTOPS_BIN`, or the newest build."""
    if os.environ.get("PLANTOPS_BIN"):
        return Path(os.environ["PLANTOPS_BIN"]).resolve()
    built = [p for p in (ROOT / ".build" / kind / "plantops" for kind in ("release", "debug")) if p.exists()]
    if not built:
        raise RuntimeError("no plantops binary: run `make build`, or set PLANTOPS_BIN")
    return max(built, key=lambda path: path.stat().st_mtime)


@functools.cache
def dashboard():
    """Its folder, built from what is there now; that takes no time when nothing has changed."""
    done = subprocess.run([ROOT / "scripts" / "build-frontend.sh"], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"the dashboard could not be built:\n{done.stdout}{done.stderr}")
    return ROOT / "frontend-dist"


def ports():
    """Every port once before any comes again, and none that another worker of pytest-xdist gives away: what is to
    listen there starts only later. Below the range from which the kernel takes ports for outgoing connections."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = range(20_000 + number, 32_000, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    while True:
        yield from random.sample(mine, len(mine))


PORTS = ports()


def free_port():
    for port in PORTS:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Stack:
    def __init__(self, **variables):
        # PostgreSQL runs as another user when we are root: every folder above its cluster must let it through.
        self.home = Path(tempfile.mkdtemp(prefix="plantops-e2e-"))
        self.home.chmod(0o755)
        self.binary = binary()
        self.extra = []
        self._token = None
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(OTHERS)},
            # PLANTOPS_TIMESCALE=0 runs the tests on plain PostgreSQL where the extension is installed.
            **{k: v for k, v in os.environ.items() if k == "PLANTOPS_TIMESCALE"},
            "PLANTOPS_HOME": str(self.home),
            "PLANTOPS_BIN": str(self.binary),
            "PLANTOPS_HTTP_PORT": str(free_port()),
            "PLANTOPS_API_PORT": str(free_port()),
            "PLANTOPS_MQTT_PORT": str(free_port()),
            "PLANTOPS_DB_PORT": str(free_port()),
            # PostgreSQL is killed by tests, the machine is not, and a slow disk should decide nothing.
            "PLANTOPS_DB_FSYNC": "off",
            "SIMULATE": "0",
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            **variables,
        }

    # The script.

    def run(self, *arguments, timeout=300, check=True):
        log = self.home / "script.log"
        with open(log, "ab") as output:  # A file, not a pipe: what is started in the background would keep a pipe open.
            code = subprocess.run(
                [str(SCRIPT), *arguments], env=self.environment, cwd=ROOT, timeout=timeout,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
        if check and code != 0:
            raise RuntimeError(f"plantops-local {' '.join(arguments)} ended with {code}:\n{self.tail(log)}")
        return code

    def up(self):
        self.run("up")
        self._environ = None
        self.backend_environment()
        if self._token is None and self.environment.get("AUTH_MODE") != "disabled":
            self._token = self.make_token("admin")
        return self

    def sign_in(self, **options):
        """A `requests.Session` of the first admin, straight to the backend."""
        return self.stranger.sign_in(
            self.settings["PLANTOPS_ADMIN_EMAIL"], self.settings["PLANTOPS_ADMIN_PASSWORD"], **options)

    def make_token(self, role):
        """An API token of the first admin with this role."""
        with self.sign_in() as session:
            answer = session.post(
                self.stranger.url("/tokens"), json={"name": f"tests as {role}", "role": role}, timeout=20)
            assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
            return answer.json()["token"]

    def down(self):
        for process in self.extra:
            process.kill()
        self.run("down", check=False)

    def destroy(self):
        try:
            self.down()
        finally:
            if os.environ.get("PLANTOPS_E2E_KEEP") != "1":
                shutil.rmtree(self.home, ignore_errors=True)

    def start(self, name):
        self.run("start", name)

    def stop(self, name):
        self.run("stop", name)

    def restart(self, name):
        self.stop(name)
        self.start(name)

    # What it wrote down.

    @property
    def settings(self):
        """`env`, as a shell that sources it would see it."""
        pairs = (shlex.split(line.removeprefix("export ")) for line in (self.home / "env").read_text().splitlines()
                 if line.strip() and not line.startswith("#"))
        return dict(word.split("=", 1) for words in pairs for word in words if "=" in word)

    @property
    def api(self):
        """Straight to the backend, as an admin."""
        return Api(self.settings["PLANTOPS_API_URL"], self._token)

    @property
    def stranger(self):
        """Straight to the backend, without signing in."""
        return Api(self.settings["PLANTOPS_API_URL"])

    @property
    def enrollment_token(self):
        """Lets in as many devices as a test likes."""
        return self.settings["PLANTOPS_ENROLLMENT_TOKEN"]

    @property
    def web(self):
        """Through nginx, as an admin."""
        return Api(self.settings["PLANTOPS_URL"], self._token)

    @property
    def mqtt_port(self):
        return int(self.environment["PLANTOPS_MQTT_PORT"])

    @property
    def ca(self):
        return self.settings["PLANTOPS_CA_CERT"]

    def log(self, name):
        path = self.home / "logs" / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tail(self, path, lines=40):
        try:
            return "\n".join(Path(path).read_text(errors="replace").splitlines()[-lines:])
        except OSError as error:
            return str(error)

    def log_tails(self, lines=25):
        logs = sorted((self.home / "logs").glob("*.log")) + [self.home / "script.log"]
        return "\n".join(f"--- {path.name}\n{self.tail(path, lines)}" for path in logs)

    # Its processes.

    def pid(self, name):
        return int((self.home / "run" / f"{name}.pid").read_text().split()[0])

    def alive(self, name):
        try:
            state = Path(f"/proc/{self.pid(name)}/stat").read_text().rpartition(")")[2].split()[0]
            return state not in "ZX"
        except (OSError, ValueError):
            return False

    def kill(self, name, number=signal.SIGKILL, timeout=20):
        """Sends the signal and waits for the end. Returns how many seconds that took."""
        pid, begun = self.pid(name), time.monotonic()
        os.kill(pid, number)
        wait_until(lambda: not pid_alive(pid), timeout, f"{name} ends after signal {number}", every=0.01)
        return time.monotonic() - begun

    def memory(self, name="backend", key="VmRSS"):
        """Bytes."""
        for line in Path(f"/proc/{self.pid(name)}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise LookupError(key)

    def ready(self, timeout=30):
        wait_until(lambda: self.api.get("/ready", timeout=5).status_code == 200, timeout, "/api/ready is 200")

    # The backend's environment, and further backends.

    def backend_environment(self):
        """As the running backend has it; remembered for when it no longer runs."""
        if self._environ is None:
            raw = Path(f"/proc/{self.pid('backend')}/environ").read_bytes()
            self._environ = dict(e.split("=", 1) for e in raw.decode().split("\0") if "=" in e)
        return dict(self._environ)

    def program(self, *arguments, environment=None, timeout=60, **overrides):
        """Runs `plantops` to its end with the backend's environment; None as a value removes the variable."""
        return subprocess.run(
            [str(self.binary), *arguments], env=merged(environment or self.backend_environment(), overrides),
            capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL, cwd=self.home)

    @contextmanager
    def serve(self, *arguments, port=None, program=None, **overrides):
        """A further backend on a port of its own, unless one is given; of another program if that is given. Yields an
        object with `api`, `process` and `output()`."""
        port = port or free_port()
        log = self.home / "logs" / f"serve-{port}.log"
        environment = merged(self.backend_environment(), {"HTTP_PORT": str(port), "LOG_FORMAT": "json", **overrides})
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(program or self.binary), "serve", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=self.home)
        self.extra.append(process)
        served = Served(Api(f"http://127.0.0.1:{port}", self._token), process, log)
        try:
            yield served
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.extra.remove(process)

    # The database.

    def sql(self, sql, url=None, timeout=60):
        """What the statements give, as psql -At prints it, over a connection that exists for them alone. The program
        itself takes ten times as long to start as most of them take."""
        try:
            with psycopg.connect(
                    url or self.settings["DATABASE_URL"], autocommit=True, connect_timeout=timeout,
                    options=f"-c timezone=UTC -c statement_timeout={timeout}s") as connection:
                return "\n".join(lines_of(connection.execute(sql))).strip()
        except psycopg.Error as error:
            raise RuntimeError(f"{str(error).strip()} in {sql}") from error

    def psql(self, command, timeout=60):
        """What that program prints, for what only it can do: COPY from and to files and its own output."""
        done = subprocess.run(
            ["psql", self.settings["DATABASE_URL"], "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", command],
            capture_output=True, text=True, timeout=timeout, env={**self.environment, "PGOPTIONS": "-c timezone=UTC"})
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()} in {command}")
        return done.stdout.strip()

    def rows(self, sql):
        """What a query gives, as a list of dictionaries."""
        return json.loads(self.sql(f"SELECT coalesce(json_agg(r), '[]') FROM ({sql}) r"))

    def value(self, sql):
        """The only value of the only row."""
        (row,) = self.rows(sql)
        (value,) = row.values()
        return value

    def telemetry(self, device_id, columns="*"):
        return self.rows(f"SELECT {columns} FROM telemetry WHERE device_id = '{device_id}' ORDER BY time")

    def dead_letters(self, device_id):
        """Oldest first."""
        return self.rows(f"SELECT reason, detail, topic, payload_bytes FROM dead_letters "
                         f"WHERE topic LIKE 'devices/{device_id}/%' ORDER BY received_at")


class Served:
    def __init__(self, api, process, log):
        self.api, self.process, self.log = api, process, log

    def output(self):
        return self.log.read_text(errors="replace")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self

    def ended(self, timeout=10):
        """The exit status. SIGTERM promises an end within 10 s."""
        return self.process.wait(timeout)

    def ready(self, timeout=30):
        def check():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.output()[-2000:]}"
            return self.api.get("/ready", timeout=5).status_code == 200

        wait_until(check, timeout, "the further backend's /api/ready is 200")


def merged(environment, overrides):
    environment = {**environment, **{k: v for k, v in overrides.items() if v is not None}}
    return {k: v for k, v in environment.items() if overrides.get(k, v) is not None}


def pid_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def lines_of(cursor):
    """The rows of all results, each value in PostgreSQL's own text, NULL as nothing."""
    while True:
        result = cursor.pgresult
        for row in range(result.ntuples):
            yield "|".join((result.get_value(row, column) or b"").decode() for column in range(result.nfields))
        if not cursor.nextset():
            return
