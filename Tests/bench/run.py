#!/usr/bin/env python3
"""Measures PlantOps on this machine: throughput, latency, memory. What each line means: docs/benchmarks.md."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "e2e"))

import dashboard  # noqa: E402
import history  # noqa: E402
from support.stack import Stack, merged  # noqa: E402
from support.waiting import wait_until  # noqa: E402

DOCUMENT = ROOT / "docs" / "benchmarks.md"
DEVICES = 20
RAW_SESSION = "bench-raw"
INGEST_SESSION = "bench-ingest"
RECEIVE_MAXIMUM = 10_000  # As the backend asks for.
TICKS = os.sysconf("SC_CLK_TCK")
RATIO_TARGET, LATENCY_TARGET_MS, MEMORY_TARGET_MB, JUDGING_TARGET = 0.7, 50, 64, 0.15
# As many plants, each with these limits and a device of its own. The simulated plants keep within them.
LIMITED_PLANTS = 1000
LIMITS = {"soil_moisture": {"min": 5, "max": 99}, "temperature": {"min": -20, "max": 60},
          "humidity": {"min": 5, "max": 99.9}, "soil_temperature": {"min": -10, "max": 50}, "battery": {"min": 1}}


def say(text):
    print(text, file=sys.stderr, flush=True)


# What processes have used.


def stat_fields(pid):
    """Those after the name, which may contain spaces; None if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def cpu_of(pid):
    """Seconds of processor time, in steps of a hundredth."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def cpu_of_family(pid):
    """With its children, the living and those it has waited for."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        fields = stat_fields(entry.name) if entry.name.isdigit() else None
        if fields and entry.name == str(pid):
            total += sum(map(int, fields[11:15])) / TICKS
        elif fields and fields[1] == str(pid):
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def cpu_of_machine():
    """Seconds in which all processors together were not idle, stolen time included."""
    fields = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


class Ended:
    """A program of ours that ran to its end: what it printed and the processor time it took."""

    def __init__(self, bench, *command, environment=None, output=subprocess.PIPE):
        self.command = command
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.PIPE, cwd=bench.stack.home, text=True)
        self.bench = bench
        bench.stack.extra.append(self.process)  # Killed with the stack if something goes wrong.
        self.output, self.errors, self.usage, self.code = "", "", None, None

    def wait(self, timeout):
        def end():
            self.process.kill()
        timer = threading.Timer(timeout, end)
        timer.start()
        try:
            # Small outputs: they fit into their pipes.
            _, status, self.usage = os.wait4(self.process.pid, 0)
        finally:
            timer.cancel()
        self.code = self.process.returncode = os.waitstatus_to_exitcode(status)
        self.bench.stack.extra.remove(self.process)
        self.output = self.process.stdout.read() if self.process.stdout else ""
        self.errors = self.process.stderr.read()
        if self.code != 0:
            raise RuntimeError(f"{' '.join(map(str, self.command))} ended with {self.code}:\n{self.errors[-2000:]}")
        return self

    @property
    def cpu(self):
        return self.usage.ru_utime + self.usage.ru_stime


class Shares:
    """Processor time of everybody during a measurement."""

    def __init__(self, pids, families=()):
        self.pids, self.families = pids, families
        self.begun, self.before, self.machine = time.monotonic(), self.read(), cpu_of_machine()

    def read(self):
        return {name: (cpu_of_family if name in self.families else cpu_of)(pid) for name, pid in self.pids.items()}

    def end(self, **programs):
        """`seconds` of each; the programs are those that have ended meanwhile."""
        after, machine = self.read(), cpu_of_machine() - self.machine
        self.seconds = {name: after[name] - self.before[name] for name in after} | programs
        self.elapsed = time.monotonic() - self.begun
        self.others = max(0.0, machine - sum(self.seconds.values()))
        return self

    def text(self):
        parts = {**self.seconds, "anything else": self.others}
        return ", ".join(f"{name} {100 * used / self.elapsed:.0f} %" for name, used in parts.items())

    def each(self, count, unit="µs"):
        """Per message or request: time before the first and after the last, when nobody works, does not count."""
        scale = {"µs": 1e6, "ms": 1e3}[unit] / count
        parts = " + ".join(f"{name} {used * scale:.1f}" for name, used in self.seconds.items())
        return f"{parts} = {sum(self.seconds.values()) * scale:.1f} {unit}"

    def saturation(self, count, rate):
        """How full all cores were at that rate, if nothing else ran."""
        return f"{100 * sum(self.seconds.values()) / count * rate / os.cpu_count():.0f} %"


class Bench:
    def __init__(self, stack, arguments):
        self.stack, self.quick, self.only_history = stack, arguments.quick, arguments.history
        self.only_dashboard = arguments.dashboard
        self.count = 20_000 if self.quick else 100_000
        self.repetitions = 1 if self.quick else 3
        self.state = stack.home / "bench-devices.json"
        self.table = []

    def add(self, what, measured, target="", ok=None):
        self.table.append((what, measured, target, "" if ok is None else "yes" if ok else "no"))
        say(f"  {what}: {measured}")

    # The stack.

    def superuser(self, sql):
        socket = (self.stack.home / "postgres-socket").read_text().strip()
        done = subprocess.run(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "postgres", "-d", "postgres",
             "-p", self.stack.environment["PLANTOPS_DB_PORT"]],
            input=sql, capture_output=True, text=True, timeout=60, env={**self.stack.environment, "PGPASSWORD": ""})
        if done.returncode != 0:
            raise RuntimeError(f"psql as superuser: {done.stderr.strip()}")
        return done.stdout.strip()

    def prepare(self):
        """PostgreSQL notes when each transaction was committed and how long its log takes to be on the disk."""
        self.stack.stop("backend")
        self.superuser("ALTER SYSTEM SET track_commit_timestamp = on;\nALTER SYSTEM SET track_wal_io_timing = on;")
        self.stack.restart("postgres")
        folder = self.stack.home / "mosquitto-clients"
        folder.mkdir(mode=0o700)
        password = (self.stack.home / "secrets" / "MQTT_BACKEND_PASSWORD").read_text().strip()
        settings = folder / "mosquitto_sub"
        settings.touch(mode=0o600)
        settings.write_text(f"-h localhost\n-p {self.stack.mqtt_port}\n--cafile {self.stack.ca}\n"
                            f"-u backend\n-P {password}\n-V 5\n-q 1\n-t devices/+/telemetry\n")
        self.subscriber_environment = {**self.stack.environment, "XDG_CONFIG_HOME": str(folder)}

    def kind(self):
        return "TimescaleDB" if self.stack.value("SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'") \
            else "plain PostgreSQL"

    def subscriber(self, *arguments, output=subprocess.PIPE):
        return Ended(self, "mosquitto_sub", *arguments, environment=self.subscriber_environment, output=output)

    def forget_session(self, client_id):
        """A clean start without an expiry ends what the broker keeps for the client; nothing queues for it then."""
        self.subscriber("-i", client_id, "-E").wait(20)

    def simulator(self, *arguments):
        # With a token: checking the admin's password takes more of the backend's memory than all messages.
        environment = {**self.stack.environment, **self.stack.settings, "PLANTOPS_API_TOKEN": self.stack.api.token}
        return Ended(self, self.stack.binary, "simulate", *arguments, "--json", "--quiet", environment=environment)

    def flood(self, devices=DEVICES, state=None):
        return self.simulator("--flood", "--count", self.count, "--devices", devices, "--state", state or self.state)

    def summary(self, program):
        return json.loads(program.output.strip().splitlines()[-1])

    def rows(self, expected, timeout=60):
        # Not all the time: counting would take from what is measured.
        wait_until(lambda: self.stack.value("SELECT count(*) FROM telemetry") >= expected, timeout,
                   f"{expected} readings are stored")
        stored = self.stack.value("SELECT count(*) FROM telemetry")
        refused = self.stack.value("SELECT count(*) FROM dead_letters")
        if stored != expected or refused:
            raise RuntimeError(f"{stored} readings stored of {expected}, {refused} dead letters")

    def clear(self):
        """An empty table and nothing left to write. Not TRUNCATE: the first reading would have to make a new chunk."""
        self.stack.sql("DELETE FROM telemetry")
        self.stack.sql("VACUUM telemetry")
        self.superuser("CHECKPOINT;")

    def restart_empty(self):
        """Every repetition begins with an empty table and a backend that has just started."""
        self.stack.stop("backend")
        self.clear()
        self.stack.start("backend")
        self.stack.ready()

    # The measurements.

    def enroll(self):
        """The devices, each with a plant, and a few readings."""
        self.simulator("--devices", DEVICES, "--rate", 200, "--count", 400, "--with-plants",
                       "--state", self.state).wait(120)
        self.rows(400)

    def ingest(self):
        self.restart_empty()
        backend = self.stack.pid("backend")
        time.sleep(5)
        idle = self.stack.memory("backend", "VmRSS")
        shares = Shares({"broker": self.stack.pid("mosquitto"), "backend": backend,
                         "PostgreSQL": self.stack.pid("postgres")}, families={"PostgreSQL"})
        flood = self.flood().wait(300)
        wait_until(lambda: self.stack.value("SELECT count(*) FROM telemetry") >= self.count, 60, "all is stored")
        shares.end(load=flood.cpu)
        rate, batches = self.committed()
        return {"rate": rate, "batches": batches, "idle": idle,
                "peak": self.stack.memory("backend", "VmHWM"), "shares": shares,
                "cpu": shares.seconds["backend"] / self.count * 1e6, "accepted": self.summary(flood)["rate"]}

    def committed(self):
        """Messages a second from the first that was received to the last commit, and how many commits."""
        self.rows(self.count)
        (times,) = self.stack.rows(
            """SELECT extract(epoch FROM (SELECT min(received_at) FROM telemetry)) AS first,
                      extract(epoch FROM max(pg_xact_commit_timestamp(x))) AS last, count(*) AS batches
               FROM (SELECT DISTINCT xmin AS x FROM telemetry) transactions""")
        return self.count / (times["last"] - times["first"]), times["batches"]

    @contextmanager
    def api_only(self):
        """The simulator asks the API for its devices; nobody but the subscriber takes messages in."""
        environment = merged(self.stack.backend_environment(), {})
        with open(self.stack.home / "logs" / "api-only.log", "ab") as log:
            process = subprocess.Popen([str(self.stack.binary), "serve", "--roles", "api"], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.stack.home)
        self.stack.extra.append(process)
        try:
            wait_until(lambda: self.stack.api.get("/live", timeout=5).status_code == 200, 30, "the API answers")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.stack.extra.remove(process)

    def raw(self):
        self.stack.stop("backend")
        self.forget_session(INGEST_SESSION)
        self.superuser("CHECKPOINT;")
        kept = ["-c", "-i", RAW_SESSION, "-x", 3600, "-D", "connect", "receive-maximum", RECEIVE_MAXIMUM]
        received = self.stack.home / "raw.txt"
        with self.api_only():
            self.subscriber(*kept, "-E").wait(20)  # From here on the broker keeps messages for this session.
            # One letter for each message: having it print the time would cost as much again as receiving.
            with open(received, "w") as output:
                subscriber = self.subscriber(*kept, "-C", self.count, "-F", "x", output=output)
            try:
                shares = Shares({"broker": self.stack.pid("mosquitto")})
                flood = self.flood()
                wait_until(lambda: received.stat().st_size > 0, 60, "the first message arrives", every=0.001)
                first = time.time()
                flood.wait(300)
                subscriber.wait(60)
                shares.end(subscriber=subscriber.cpu, load=flood.cpu)
            finally:
                if subscriber.code is None:
                    subscriber.process.kill()
                    subscriber.process.wait()
                # Or the floods that follow would queue for it.
                self.forget_session(RAW_SESSION)
            if received.stat().st_size != 2 * self.count:
                raise RuntimeError(f"the subscriber wrote {received.stat().st_size} bytes for {self.count} messages")
            alone = self.flood().wait(300)
        return {"rate": self.count / (received.stat().st_mtime - first), "shares": shares,
                "accepted": self.summary(flood)["rate"], "alone": self.summary(alone)["rate"]}

    def throughput(self):
        ingests, raws = [], []
        for number in range(1, self.repetitions + 1):
            say(f"flood {number} of {self.repetitions}: backend")
            ingests.append(self.ingest())
            say(f"  {ingests[-1]['rate']:,.0f}/s; {self.effort(ingests[-1])}")
            if number == self.repetitions:
                self.copy()  # While the rows are there.
                say(f"flood {number} of {self.repetitions}: raw")
            raws.append(self.raw())
            say(f"  {raws[-1]['rate']:,.0f}/s; {self.effort(raws[-1])}")
        ingest, raw = middle(ingests, "rate"), middle(raws, "rate")
        ratio = ingest["rate"] / raw["rate"]
        self.add("ingest: received → committed, messages/s", series(ingests, "rate"))
        self.add("raw: broker → mosquitto_sub, messages/s", series(raws, "rate"))
        self.add("ingest / raw", f"{ratio:.2f}", f"≥ {RATIO_TARGET}", ratio >= RATIO_TARGET)
        self.add("broker accepts: with backend / subscriber / neither, messages/s",
                 f"{middle(ingests, 'accepted')['accepted']:,.0f} / {middle(raws, 'accepted')['accepted']:,.0f} / "
                 f"{middle(raws, 'alone')['alone']:,.0f}")
        self.add("ingest: messages per transaction, mean", f"{self.count / ingest['batches']:,.0f}")
        self.add("ingest: backend CPU per message", f"{series(ingests, 'cpu', '.1f')} µs")
        self.add("ingest: CPU per message, all", self.effort(ingest))
        self.add("raw: CPU per message, all", self.effort(raw))
        self.strangers(ingests + raws)
        self.copy_line(ingest["rate"])
        idle, peak = (statistics.median(run[name] for run in ingests) / 2**20 for name in ("idle", "peak"))
        self.add("backend memory 5 s after its start", f"{idle:.0f} MiB")
        worst = max(run["peak"] for run in ingests) / 2**20
        self.add("backend memory, peak under the flood", f"{peak:.0f} MiB (worst {worst:.0f})",
                 f"≤ {MEMORY_TARGET_MB} MiB", worst <= MEMORY_TARGET_MB)

    def effort(self, run):
        return f"{run['shares'].each(self.count)}; cores {run['shares'].saturation(self.count, run['rate'])} full"

    def strangers(self, runs):
        """What other programs took meanwhile; much of it, and the numbers are worth little."""
        worst = max(run["shares"].others / run["shares"].elapsed for run in runs)
        self.add("floods: CPU of anything else, at most", f"{100 * worst:.0f} % of one core")

    def copy(self):
        say("COPY")
        file = self.stack.home / "readings.csv"
        self.stack.psql(f"\\copy (SELECT * FROM telemetry) TO '{file}' CSV")
        self.stack.sql("CREATE TABLE bench_copy (LIKE telemetry INCLUDING ALL)")
        self.copies = []
        for _ in range(self.repetitions):
            self.stack.sql("TRUNCATE bench_copy")
            self.superuser("CHECKPOINT;")
            printed = self.psql_script(f"\\timing on\n\\copy bench_copy FROM '{file}' CSV\n")
            seconds = float(re.search(r"Time: ([0-9.]+) ms", printed).group(1)) / 1000
            self.copies.append({"rate": self.count / seconds})
        self.stack.sql("DROP TABLE bench_copy")
        file.unlink()

    def copy_line(self, ingest):
        self.add("COPY of the same rows by psql, rows/s", series(self.copies, "rate"))
        self.add("ingest / COPY", f"{ingest / middle(self.copies, 'rate')['rate']:.2f}")

    def psql_script(self, script):
        done = subprocess.run(["psql", self.stack.settings["DATABASE_URL"], "-XqAt", "-v", "ON_ERROR_STOP=1"],
                              input=script, capture_output=True, text=True, timeout=120, env=self.stack.environment)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout

    def latency(self):
        rate, seconds = 1000, 5 if self.quick else 20
        say(f"latency: {rate} messages/s from 100 devices for {seconds} s")
        state = self.stack.home / "bench-latency.json"
        self.restart_empty()
        # Enrolled before, so that the handshakes are all there is beside the messages.
        self.simulator("--devices", 100, "--rate", 100, "--count", 100, "--state", state).wait(120)
        self.clear()
        self.superuser("SELECT pg_stat_reset_shared('wal');")
        shares = Shares({"broker": self.stack.pid("mosquitto"), "backend": self.stack.pid("backend"),
                         "PostgreSQL": self.stack.pid("postgres")}, families={"PostgreSQL"})
        program = self.simulator("--devices", 100, "--rate", rate, "--duration", seconds, "--state", state)
        program.wait(seconds + 90)
        shares.end(load=program.cpu)
        summary = self.summary(program)
        self.rows(summary["acknowledged"])

        def percentiles(since):
            (row,) = self.stack.rows(
                f"""SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP
                        (ORDER BY 1000 * extract(epoch FROM pg_xact_commit_timestamp(xmin) - {since})) AS p
                    FROM telemetry""")
            return row["p"]

        published, received = percentiles("time"), percentiles("received_at")
        transactions = self.stack.value("SELECT count(*) FROM (SELECT DISTINCT xmin FROM telemetry) t")
        stored = summary["acknowledged"]
        self.add("latency: rate reached, messages/s",
                 f"{stored / seconds:,.0f} ({stored / transactions:.1f} per transaction)")
        self.add("latency: due → committed, p50 / p95 / p99 / max", spread(published),
                 f"p99 < {LATENCY_TARGET_MS} ms", published[2] < LATENCY_TARGET_MS)
        self.add("latency: received → committed, p50 / p95 / p99 / max", spread(received))
        # A transaction's time is taken before its log is written.
        (wal,) = json.loads(self.superuser(
            "SELECT json_agg(w) FROM (SELECT wal_sync, wal_sync_time, wal_write_time FROM pg_stat_wal) w"))
        each = (wal["wal_sync_time"] + wal["wal_write_time"]) / max(1, wal["wal_sync"])
        self.add("latency: writing the log to disk, mean (to be added)", f"{each:.2f} ms")
        self.add("latency: CPU, of one core", shares.text())

    def judging(self):
        """What it costs to judge readings by limits: the same flood with and without it, in turns."""
        say(f"judging: {LIMITED_PLANTS} plants with limits; enrolling takes a while")
        state = self.stack.home / "bench-limits.json"
        self.simulator("--devices", LIMITED_PLANTS, "--rate", 500, "--count", LIMITED_PLANTS, "--with-plants",
                       "--state", state).wait(300)
        self.stack.sql(f"UPDATE plants SET thresholds = '{json.dumps(LIMITS)}'")
        runs = {True: [], False: []}
        for number in range(2 * self.repetitions + 1):
            for judges in (True, False) if number % 2 else (False, True):
                self.stack.stop("backend")
                self.stack.sql("VACUUM FULL device_state")
                self.clear()
                self.stack.environment["PLANTOPS_TEST_JUDGING"] = "on" if judges else "off"
                self.stack.start("backend")
                self.stack.ready()
                backend = self.stack.pid("backend")
                shares = Shares({"backend": backend, "PostgreSQL": self.stack.pid("postgres")}, families={"PostgreSQL"})
                flood = self.flood(LIMITED_PLANTS, state).wait(300)
                wait_until(lambda: self.stack.value("SELECT count(*) FROM telemetry") >= self.count, 60, "all is stored")
                shares.end(load=flood.cpu)
                rate, _ = self.committed()
                # Not those of the measurements before, which were judged, too.
                judged = self.stack.value(
                    "SELECT count(*) FROM device_state WHERE judged_until >= reading_at"
                    " AND device_id IN (SELECT device_id FROM telemetry)")
                if judges and judged != LIMITED_PLANTS:
                    raise RuntimeError(f"only {judged} of {LIMITED_PLANTS} devices were judged")
                runs[judges].append({"rate": rate, "cpu": 1e6 * (
                    shares.seconds["backend"] + shares.seconds["PostgreSQL"]) / self.count})
                say(f"  {'judged' if judges else 'not judged'}: {rate:,.0f}/s, {runs[judges][-1]['cpu']:.1f} µs")
        del self.stack.environment["PLANTOPS_TEST_JUDGING"]
        cost = 1 - middle(runs[True], "rate")["rate"] / middle(runs[False], "rate")["rate"]
        self.add(f"ingest, {LIMITED_PLANTS} plants with {len(LIMITS)} limited metrics, judged, messages/s",
                 series(runs[True], "rate"))
        self.add("the same, not judged, messages/s", series(runs[False], "rate"))
        self.add("backend and PostgreSQL, CPU per message: judged / not",
                 f"{series(runs[True], 'cpu', '.1f')} / {series(runs[False], 'cpu', '.1f')} µs")
        self.add("what judging costs of the throughput", f"{round(100 * cost)} %", f"≤ {100 * JUDGING_TARGET:.0f} %",
                 cost <= JUDGING_TARGET)

    def api(self):
        seconds = 2 if self.quick else 5
        plants = self.stack.api.ok("GET", "/plants")
        listed = plants if isinstance(plants, list) else next(v for v in plants.values() if isinstance(v, list))
        if len(listed) != DEVICES:
            raise RuntimeError(f"{len(listed)} plants instead of {DEVICES}")
        direct, web = self.stack.settings["PLANTOPS_API_URL"], self.stack.settings["PLANTOPS_URL"]
        size = len(self.stack.api.get("/plants").content)
        for name, url in ((f"GET /api/plants ({DEVICES} plants, {size / 1024:.0f} KiB)", f"{direct}/api/plants"),
                          ("GET /api/plants through nginx", f"{web}/api/plants"),
                          ("GET /api/health", f"{direct}/api/health"),
                          ("nginx, its static page", f"{web}/")):
            say(f"API: {name}")
            shares = Shares({"backend": self.stack.pid("backend"), "PostgreSQL": self.stack.pid("postgres"),
                             "nginx": self.stack.pid("nginx")}, families={"PostgreSQL", "nginx"})
            rate, p99, failed = load(url, seconds, self.stack.api.token if "/api/" in url else None)
            shares.end()
            self.add(f"{name}, requests/s (p99)", f"{rate:,.0f} ({p99:.1f} ms)", "no failures", failed == 0)
            say(f"  CPU per request: {shares.each(rate * seconds, 'ms')}; of one core: {shares.text()}")

    def measure(self):
        self.prepare()
        self.stack.start("backend")
        self.stack.ready()
        if self.only_dashboard:
            return dashboard.Dashboard(self, say).measure()
        self.enroll()
        if self.only_history:
            return self.years()
        self.throughput()
        self.latency()
        self.api()
        self.judging()
        self.years()

    def years(self):
        cost = history.RollupCost(self, say)
        cost.before()
        history.History(self, say).measure()
        cost.after(middle, series)


def load(url, seconds, token):
    """Requests per second over 16 connections, the 99th percentile in ms, and how many failed. With an API token, every
    request is somebody's, whom the backend has to look up."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if shutil.which("wrk"):
        written = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
        printed = subprocess.run(["wrk", "-t2", "-c16", f"-d{seconds}s", "--latency", *written, url],
                                 capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
        value, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)\b", printed).groups()
        failed = sum(int(n) for n in re.findall(r"Non-2xx or 3xx responses: (\d+)", printed))
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
        failed += sum(map(int, errors.groups())) if errors else 0
        rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", printed).group(1))
        return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], failed
    say("  wrk is not installed; Python's own threads are slower than what they measure")
    end = time.monotonic() + seconds

    def client(_):
        times, failures = [], 0
        with requests.Session() as session:
            session.headers.update(headers)
            while time.monotonic() < end:
                begun = time.monotonic()
                failures += session.get(url, timeout=20).status_code >= 400
                times.append(time.monotonic() - begun)
        return times, failures

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(client, range(16)))
    times = sorted(t for some, _ in results for t in some)
    return len(times) / seconds, 1000 * times[int(0.99 * (len(times) - 1))], sum(f for _, f in results)


# Printing.


def middle(runs, key):
    return sorted(runs, key=lambda run: run[key])[len(runs) // 2]


def series(runs, key, form=",.0f"):
    """The median, then all in the order they were measured."""
    values = [run[key] for run in runs]
    median = format(statistics.median(values), form)
    return median if len(values) == 1 else f"{median} ({', '.join(format(v, form) for v in values)})"


def spread(milliseconds):
    return " / ".join(f"{value:.1f}" for value in milliseconds) + " ms"


def machine():
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.+)", info) or re.search(r"Model\s*:\s*(.+)", info)
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20
    return f"{os.cpu_count()} cores ({model.group(1).strip() if model else platform.machine()}), " \
        f"{memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions(bench):
    postgres = bench.stack.value("SELECT current_setting('server_version')").split()[0]
    broker = subprocess.run(["mosquitto", "-h"], capture_output=True, text=True, timeout=10,
                            env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}).stdout
    found = re.search(r"version ([0-9.]+)", broker)
    return f"PostgreSQL {postgres}, Mosquitto {found.group(1) if found else '?'}"


def markdown(table):
    table = [("what", "measured", "target", "ok"), *table]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in table]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def write(kind, text):
    marker = "timescaledb" if kind == "TimescaleDB" else "postgresql"
    begin, end = f"<!-- measured: {marker} -->", f"<!-- end: {marker} -->"
    document = DOCUMENT.read_text()
    if document.count(begin) != 1 or document.count(end) != 1:
        raise RuntimeError(f"{DOCUMENT.name} must have {begin} and {end} once each")
    before, _, rest = document.partition(begin)
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}")
    say(f"{DOCUMENT.relative_to(ROOT)} rewritten ({kind})")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 000 messages, one repetition")
    parser.add_argument("--timescale", choices="01",
                        help="0: plain PostgreSQL; 1: TimescaleDB (default: if it is there)")
    parser.add_argument("--history", action="store_true", help="only the year of readings")
    parser.add_argument("--dashboard", action="store_true", help="only the dashboard, in Chromium")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    arguments = parser.parse_args()
    if (arguments.quick or arguments.history or arguments.dashboard) and arguments.write:
        parser.error("only everything, not --quick, --history or --dashboard, is for the document")
    for program in ("mosquitto_sub", "psql"):
        if not shutil.which(program):
            parser.error(f"{program} is not installed: make packages, or scripts/install-packages.sh check")

    def stop(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stop)

    # What nginx can pass on is measured, not what it is told to.
    variables = {"MQTT_CLIENT_ID": INGEST_SESSION, "LOG_LEVEL": "warning", "RATE_LIMIT_API": "100000",
                 "PLANTOPS_DB_FSYNC": "on"}
    if arguments.timescale:
        variables["PLANTOPS_TIMESCALE"] = arguments.timescale
    begun = time.monotonic()
    stack = Stack(**variables)
    bench = Bench(stack, arguments)
    try:
        stack.up()
        kind = bench.kind()
        if arguments.timescale == "1" and kind != "TimescaleDB":
            raise RuntimeError("--timescale 1, but TimescaleDB is not installed here")
        facts = f"{kind}; {versions(bench)}; {machine()}; " \
            f"{bench.count:,} messages, {DEVICES} devices, QoS 1, TLS"
        say(facts)
        bench.measure()
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except Exception as error:  # Whatever it was: say what was measured so far, and what the services said.
        say(f"error: {error}")
        say(stack.log_tails())
        if bench.table:
            print(markdown(bench.table))
        return 1
    finally:
        stack.destroy()
    text = f"{time.strftime('%Y-%m-%d')}, {facts}.\n\n{markdown(bench.table)}"
    print(text)
    say(f"took {time.monotonic() - begun:.0f} s")
    if arguments.write:
        write(kind, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
