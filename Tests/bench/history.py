"""A year of readings: how quickly they are drawn, exported and kept, and how small they become."""

import re
import statistics
import subprocess
import time

import export
import requests
from support.waiting import wait_until

PLANTS = 20
COLUMNS = ("time, device_id, plant_id, soil_moisture, temperature, humidity, light_level, soil_temperature, battery, rssi, "
           "time_source, received_at")
# As sensors say it: with one digit after the point, or none, and never quite still.
READINGS = """
    SELECT t, device, plant,
        round((45 + 20 * sin(extract(epoch FROM t) / 400000 + number) + random() * 0.4)::numeric, 1)::float8,
        round((21 + 3 * sin(extract(epoch FROM t) / 13751) + random() * 0.2)::numeric, 1)::float8,
        round((50 + 10 * sin(extract(epoch FROM t) / 23751) + random() * 0.5)::numeric, 1)::float8,
        greatest(0, round(5000 * sin(extract(epoch FROM t) / 13751) + random() * 20))::float8,
        round((20 + 2 * sin(extract(epoch FROM t) / 13751) + random() * 0.1)::numeric, 1)::float8,
        round(90 - extract(day FROM t))::float8, -60 - round(random() * 5), 'device'::text, t + INTERVAL '200 ms'
    FROM generate_series(date_trunc('minute', now()) - INTERVAL '{days} days', now() - INTERVAL '1 minute', '1 minute') t
    CROSS JOIN (
        SELECT p.id AS plant, a.device_id AS device, row_number() OVER (ORDER BY p.id) AS number
        FROM plants p JOIN device_assignments a ON a.plant_id = p.id AND a.unassigned_at IS NULL
        ORDER BY p.id LIMIT {plants}) pots"""
HISTORY_RATIO, HISTORY_P99_MS, LATEST_MS, COMPRESSION, EXPORT_RATIO, ROLLUP_COST = 50, 50, 5, 8, 0.5, 0.2


def percentiles(milliseconds):
    """p50 and p99."""
    return statistics.median(milliseconds), sorted(milliseconds)[int(0.99 * (len(milliseconds) - 1))]


class History:
    def __init__(self, bench, say):
        self.bench, self.stack, self.say = bench, bench.stack, say
        self.days = 70 if bench.quick else 365
        self.url = self.stack.settings["DATABASE_URL"]

    def measure(self):
        self.fill()
        self.summarize()
        self.sizes()
        self.histories()
        self.latest()
        self.exports()

    # The readings.

    def fill(self):
        """COPY of what another session of the same server makes up."""
        self.say(f"history: {self.days} days of readings, one a minute, of {PLANTS} plants")
        self.stack.stop("backend")
        self.stack.sql("DELETE FROM telemetry", timeout=300)
        self.stack.sql(f"SELECT telemetry_ensure_partitions(now() - INTERVAL '{self.days + 1} days', now())")
        begun = time.monotonic()
        source = subprocess.Popen(
            ["psql", self.url, "-Xq", "-c",
             f"COPY ({READINGS.format(days=self.days, plants=PLANTS)}) TO STDOUT (FORMAT binary)"],
            stdout=subprocess.PIPE)
        self.stack.extra.append(source)
        done = subprocess.run(
            ["psql", self.url, "-Xq", "-v", "ON_ERROR_STOP=1", "-c", f"COPY telemetry ({COLUMNS}) FROM STDIN (FORMAT binary)"],
            stdin=source.stdout, capture_output=True, text=True, timeout=1800)
        self.stack.extra.remove(source)
        if source.wait() != 0 or done.returncode != 0:
            raise RuntimeError(f"COPY: {done.stderr.strip()}")
        self.rows = self.stack.value("SELECT count(*) FROM telemetry")
        self.say(f"  {self.rows:,} readings in {time.monotonic() - begun:.0f} s")
        self.stack.sql("VACUUM ANALYZE telemetry", timeout=600)
        self.before = self.bytes()

    def bytes(self):
        """Of the single readings, with their indexes."""
        if self.bench.kind() == "TimescaleDB":
            return self.stack.value("SELECT hypertable_size('telemetry')")
        return self.stack.value(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'telemetry'::regclass")

    def summarize(self):
        """The backend does it by itself, and compresses then."""
        begun = time.monotonic()
        self.stack.start("backend")
        self.stack.ready()
        if self.bench.kind() == "TimescaleDB":
            # The view itself is always complete.
            (place,) = self.stack.rows(
                "SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name "
                "FROM timescaledb_information.continuous_aggregates WHERE view_name = 'telemetry_1d'")
            name = place["name"]
        else:
            name = "rollup_1d"
        least = self.rows * (1 - 2 / self.days)
        wait_until(lambda: self.stack.value(f"SELECT coalesce(sum(readings), 0) FROM {name}") >= least, 1800,
                   "everything is summarized", every=2)
        self.summarized = time.monotonic() - begun
        if self.bench.kind() == "TimescaleDB":
            wait_until(lambda: self.stack.value(
                "SELECT count(*) FROM telemetry_uncompressed_before(now() - INTERVAL '36 days')") == 0, 900,
                "old chunks are compressed", every=5)
        self.bench.add(f"readings, and what made the rollups of them took", f"{self.rows:,}; {self.summarized:.0f} s")
        self.stack.sql("ANALYZE", timeout=600)

    def sizes(self):
        views = " + ".join(
            f"(SELECT hypertable_size(format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)"
            f"::regclass) FROM timescaledb_information.continuous_aggregates WHERE view_name = 'telemetry_{width}')"
            if self.bench.kind() == "TimescaleDB" else f"pg_total_relation_size('rollup_{width}')"
            for width in ("5m", "1h", "1d"))
        rollups = self.stack.value(f"SELECT {views}")
        text = f"{self.before / self.rows:.0f} B"
        if self.bench.kind() == "TimescaleDB":
            (chunks,) = self.stack.rows(
                "SELECT before_compression_total_bytes AS before, after_compression_total_bytes AS after "
                "FROM hypertable_columnstore_stats('telemetry')")
            if not chunks["after"]:
                raise RuntimeError("no chunk is compressed")
            factor = chunks["before"] / chunks["after"]
            self.bench.add("bytes per reading: as written → compressed (chunks older than 35 days)",
                           f"{text} → {self.before / self.rows / factor:.0f} B, {factor:.1f} ×",
                           f"≥ {COMPRESSION} ×", factor >= COMPRESSION)
        else:
            self.bench.add("bytes per reading", text)
        self.bench.add("rollups of 5 min, 1 h and 1 day, per reading", f"{rollups / self.rows:.0f} B")

    # What is asked for.

    def plants(self):
        return [row["id"] for row in self.stack.rows(f"SELECT id FROM plants ORDER BY id LIMIT {PLANTS}")]

    def timed(self, session, path):
        begun = time.monotonic()
        answer = session.get(f"{self.stack.settings['PLANTOPS_API_URL']}/api{path}", timeout=60)
        seconds = time.monotonic() - begun
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        return 1000 * seconds, answer

    def histories(self):
        plants = self.plants()

        def ask(session, number):
            return self.timed(session, f"/plants/{plants[number % PLANTS]}/history?hours={self.days * 24}")

        times, answer = self.asked(ask, 100 if self.bench.quick else 400)
        points = len(answer.json()["time"])
        middle, p99 = percentiles(times)
        self.bench.add(f"GET history of {self.days} days, {points} points of all metrics, p50 / p99",
                       f"{middle:.1f} / {p99:.1f} ms", f"p99 < {HISTORY_P99_MS} ms", p99 < HISTORY_P99_MS)
        inside, inside_p99 = percentiles(self.in_the_database(ask, 100, "telemetry_"))
        raw = statistics.median(self.raw(plant) for plant in plants[:5])
        self.bench.add("the same in the database, p50 / p99", f"{inside:.1f} / {inside_p99:.1f} ms")
        self.bench.add("the same from single readings, in the database", f"{raw:.0f} ms")
        self.bench.add("history / single readings, in the database", f"1/{raw / inside:.0f}", f"≤ 1/{HISTORY_RATIO}",
                       raw / inside >= HISTORY_RATIO)

    def asked(self, ask, count):
        """Milliseconds of so many answers, after a few that do not count, and the last of them."""
        times = []
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.stack.api.token}"
            for number in range(-PLANTS, count):
                took, answer = ask(session, number)
                if number >= 0:
                    times.append(took)
        return times, answer

    def in_the_database(self, ask, count, *words):
        """The server's own milliseconds of all statements about these, planning included, for each answer."""
        log = self.stack.home / "logs" / "postgres.log"
        times = []

        def logged(session, number):
            begun = log.stat().st_size
            answered = ask(session, number)
            with open(log, errors="replace") as file:
                file.seek(begun)
                written = file.read()
            # Parse, bind and execute.
            found = [float(ms) for ms, text in re.findall(
                r"duration: ([0-9.]+) ms +(?:parse|bind|execute) [^:]*:((?:(?!duration: ).)*)", written, re.S)
                if any(word in text for word in words)]
            if number >= 0 and found:
                times.append(sum(found))
            return answered

        self.bench.superuser("ALTER SYSTEM SET log_min_duration_statement = 0;\nSELECT pg_reload_conf();")
        try:
            self.asked(logged, count)
        finally:
            self.bench.superuser("ALTER SYSTEM RESET log_min_duration_statement;\nSELECT pg_reload_conf();")
        if len(times) < count / 2:
            raise RuntimeError(f"the server's log has {len(times)} answers of {count} only")
        return times

    def raw(self, plant):
        """What the history would be made of without rollups: days of each device, of every metric."""
        metrics = [row["name"] for row in self.stack.rows(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'telemetry'::regclass AND attnum > 0 "
            "AND atttypid = 'float8'::regtype ORDER BY attnum")]
        inner = ", ".join(f"avg({m}) AS a{n}, min({m}) AS b{n}, max({m}) AS c{n}" for n, m in enumerate(metrics))
        outer = ", ".join(f"avg(a{n}), min(b{n}), max(c{n})" for n in range(len(metrics)))
        printed = self.bench.psql_script(
            "SET max_parallel_workers_per_gather = 0;\n\\timing on\n\\o /dev/null\n"
            f"SELECT bucket, {outer} FROM (SELECT date_trunc('day', time, 'UTC') AS bucket, device_id, {inner} "
            f"FROM telemetry WHERE plant_id = '{plant}' AND time >= now() - INTERVAL '{self.days} days' AND time < now() "
            "GROUP BY 1, 2) d GROUP BY 1 ORDER BY 1;\n")
        return float(re.findall(r"Time: ([0-9.]+) ms", printed)[-1])

    def latest(self):
        middle, p99 = percentiles(self.in_the_database(
            lambda session, _: self.timed(session, f"/plants?limit={PLANTS}"), 200, "plants", "telemetry"))
        self.bench.add(f"latest values of {PLANTS} plants, in the database, p50 / p99", f"{middle:.2f} / {p99:.2f} ms",
                       f"< {LATEST_MS} ms", middle < LATEST_MS)

    def exports(self):
        found = export.measure(self.url, self.stack.settings["PLANTOPS_API_URL"], self.stack.api.token, self.plants()[0])
        self.bench.add(
            f"export of one plant ({found['rows']:,} rows, {found['bytes'] / 2**20:.0f} MiB), rows/s; psql's COPY TO",
            f"{found['export_rows_per_second']:,.0f}; {found['copy_rows_per_second']:,.0f}: "
            f"{found['ratio']:.2f}", f"≥ {EXPORT_RATIO}", found["ratio"] >= EXPORT_RATIO)


class RollupCost:
    """The same flood with rollups and without them: nobody notes what is written, nobody summarizes it."""

    def __init__(self, bench, say):
        self.bench, self.stack, self.say = bench, bench.stack, say
        self.rounds = 2 * bench.repetitions + 1
        self.runs = {True: [], False: []}
        self.can_switch = bench.kind() != "TimescaleDB"

    def flood(self, has_rollups):
        if self.can_switch:
            self.stack.sql(f"ALTER TABLE telemetry {'ENABLE' if has_rollups else 'DISABLE'} TRIGGER telemetry_note")
        self.bench.restart_empty()
        self.bench.flood().wait(300)
        rate, _ = self.bench.committed()
        self.runs[has_rollups].append({"rate": rate})
        self.say(f"  {'with' if has_rollups else 'without'}: {rate:,.0f}/s")

    def before(self):
        """While there are rollups: TimescaleDB's cannot be switched off for a while, only removed."""
        self.say("rollups: floods with and without them")
        for number in range(self.rounds):
            for has_rollups in (True, False) if number % 2 else (False, True):
                if has_rollups or self.can_switch:
                    self.flood(has_rollups)
        if self.can_switch:
            self.stack.sql("ALTER TABLE telemetry ENABLE TRIGGER telemetry_note")

    def after(self, middle, series):
        """When they are not needed any more."""
        if not self.can_switch:
            for width in ("1d", "1h", "5m"):
                self.stack.sql(f"DROP MATERIALIZED VIEW telemetry_{width}", timeout=120)
            # Compressed rows do not tell their transaction.
            self.stack.sql("TRUNCATE telemetry", timeout=120)
            for _ in range(self.rounds):
                self.flood(False)
        cost = 1 - middle(self.runs[True], "rate")["rate"] / middle(self.runs[False], "rate")["rate"]
        self.bench.add("ingest with rollups, messages/s", series(self.runs[True], "rate"))
        self.bench.add("the same without rollups, messages/s", series(self.runs[False], "rate"))
        self.bench.add("what rollups cost of the throughput", f"{round(100 * cost)} %", f"≤ {100 * ROLLUP_COST:.0f} %",
                       cost <= ROLLUP_COST)
