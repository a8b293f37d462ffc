-- Rollups in plain PostgreSQL: tables that the backend keeps (SeriesUpkeep.swift), and views that join them with what
-- has not been summarized yet. Same names and columns as m0007_rollups_timescale.
--
-- Readings whose five minutes are over (closed_until) are summarized once; whatever is written into closed minutes
-- afterwards is noted by a trigger, whoever writes it, and those minutes are summarized again. Who writes holds a lock
-- that closing waits for, so nothing falls in between.

DO $$ BEGIN
    EXECUTE format(
        'CREATE TABLE rollup_5m AS
        SELECT date_bin(INTERVAL ''5 minutes'', time, ''epoch'') AS bucket, device_id, plant_id, %s
        FROM telemetry GROUP BY 1, 2, 3 WITH NO DATA', rollup_of_readings());
    EXECUTE format(
        'CREATE TABLE rollup_1h AS SELECT bucket, device_id, plant_id, %s FROM rollup_5m GROUP BY 1, 2, 3 WITH NO DATA',
        rollup_of_rollups());
END $$;
CREATE TABLE rollup_1d (LIKE rollup_1h);

-- A device can stand in two plants, or in none, in the same minutes.
CREATE UNIQUE INDEX rollup_5m_key ON rollup_5m (device_id, bucket, plant_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX rollup_1h_key ON rollup_1h (device_id, bucket, plant_id) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX rollup_1d_key ON rollup_1d (device_id, bucket, plant_id) NULLS NOT DISTINCT;
CREATE INDEX rollup_5m_plant ON rollup_5m (plant_id, bucket) WHERE plant_id IS NOT NULL;
CREATE INDEX rollup_1h_plant ON rollup_1h (plant_id, bucket) WHERE plant_id IS NOT NULL;
CREATE INDEX rollup_1d_plant ON rollup_1d (plant_id, bucket) WHERE plant_id IS NOT NULL;

ALTER TABLE rollup_state
    -- What is written into earlier minutes is noted.
    ADD COLUMN closed_until  timestamptz,
    -- Up to here the tables are read, from here on what they are made of.
    ADD COLUMN ready_5m      timestamptz,
    ADD COLUMN ready_1h      timestamptz,
    ADD COLUMN ready_1d      timestamptz,
    -- From here on minutes are noted; what was there before is summarized month by month.
    ADD COLUMN noted_from    timestamptz;

-- Minutes that readings were written into, by the start of their five.
CREATE TABLE rollup_noted (
    bucket     timestamptz NOT NULL,
    device_id  uuid NOT NULL,
    PRIMARY KEY (bucket, device_id)
);
-- What is to be summarized (again): 0 five minutes, 1 hours, 2 days.
CREATE TABLE rollup_todo (
    level      smallint NOT NULL,
    bucket     timestamptz NOT NULL,
    device_id  uuid NOT NULL,
    PRIMARY KEY (level, bucket, device_id)
);

CREATE FUNCTION rollup_lock_key() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 8101814580330849401';

CREATE FUNCTION telemetry_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Held until the transaction ends.
    PERFORM pg_advisory_xact_lock_shared(rollup_lock_key());
    -- In order: two backends that note the same minutes never wait for each other.
    INSERT INTO rollup_noted (bucket, device_id)
    SELECT DISTINCT date_bin(INTERVAL '5 minutes', time, 'epoch') AS bucket, device_id FROM added ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER telemetry_note AFTER INSERT ON telemetry
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION telemetry_note();

-- The start of the first month that has a partition.
CREATE FUNCTION telemetry_first_month() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT min(to_date(right(c.relname, 7), 'YYYY_MM'))::timestamp AT TIME ZONE 'UTC'
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'telemetry'::regclass AND c.relname ~ '^telemetry_\d{4}_\d{2}$'
$$;

-- Where there are readings already, they are summarized from their first month on. (A device may be five minutes ahead.)
-- Not now(), when we began: we may have waited for writers, whose readings nobody has noted.
UPDATE rollup_state SET
    noted_from = date_bin(INTERVAL '5 minutes', clock_timestamp(), 'epoch')
        + CASE WHEN telemetry_first_month() IS NULL THEN INTERVAL '0' ELSE INTERVAL '10 minutes' END,
    closed_until = COALESCE(telemetry_first_month(), date_bin(INTERVAL '5 minutes', now(), 'epoch'));
UPDATE rollup_state SET
    ready_5m = closed_until, ready_1h = date_bin(INTERVAL '1 hour', closed_until, 'epoch'),
    ready_1d = local_day(closed_until, zone);

DO $$ BEGIN
    EXECUTE format(
        'CREATE VIEW telemetry_5m AS
        SELECT * FROM rollup_5m WHERE bucket < (SELECT ready_5m FROM rollup_state)
        UNION ALL
        SELECT date_bin(INTERVAL ''5 minutes'', time, ''epoch''), device_id, plant_id, %s
        FROM telemetry WHERE time >= (SELECT ready_5m FROM rollup_state) GROUP BY 1, 2, 3', rollup_of_readings());
    EXECUTE format(
        'CREATE VIEW telemetry_1h AS
        SELECT * FROM rollup_1h WHERE bucket < (SELECT ready_1h FROM rollup_state)
        UNION ALL
        SELECT date_bin(INTERVAL ''1 hour'', bucket, ''epoch''), device_id, plant_id, %s
        FROM telemetry_5m WHERE bucket >= (SELECT ready_1h FROM rollup_state) GROUP BY 1, 2, 3', rollup_of_rollups());
    EXECUTE format(
        'CREATE VIEW telemetry_1d AS
        SELECT * FROM rollup_1d WHERE bucket < (SELECT ready_1d FROM rollup_state)
        UNION ALL
        SELECT local_day(bucket, (SELECT zone FROM rollup_state)), device_id, plant_id, %s
        FROM telemetry_5m WHERE bucket >= (SELECT ready_1d FROM rollup_state) GROUP BY 1, 2, 3', rollup_of_rollups());
END $$;

-- What is beside an INSERT of rollups, when there is one already: it is replaced, unless it is made of single readings
-- and they have been dropped. Those that are made of five minutes can always be made again.
CREATE FUNCTION rollup_replacing(name text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'ON CONFLICT (device_id, bucket, plant_id) DO UPDATE SET '
        || string_agg(format('%1$I = EXCLUDED.%1$I', attname), ', ' ORDER BY attnum)
        || CASE WHEN name = 'rollup_5m'
            THEN ' WHERE rollup_5m.bucket >= COALESCE((SELECT raw_from FROM rollup_state), ''-infinity'')' ELSE '' END
    FROM pg_attribute WHERE attrelid = 'rollup_1h'::regclass AND attnum > 3 AND NOT attisdropped
$$;

-- Ends the five minutes before an instant: what is written into them from now on is summarized apart.
-- Returns whether there is more of what came late than is taken up at once: nobody can write meanwhile.
CREATE FUNCTION rollup_close(until timestamptz, most integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    state rollup_state;
    late integer;
BEGIN
    PERFORM 1 FROM rollup_state FOR UPDATE;
    -- Whoever is writing now has noted it when we go on.
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    UPDATE rollup_state SET closed_until = GREATEST(closed_until, date_bin(INTERVAL '5 minutes', until, 'epoch'))
    RETURNING * INTO state;
    WITH closed AS (
        DELETE FROM rollup_noted WHERE bucket >= state.ready_5m AND bucket < state.closed_until
        RETURNING bucket, device_id
    )
    INSERT INTO rollup_todo (level, bucket, device_id) SELECT 0, bucket, device_id FROM closed ON CONFLICT DO NOTHING;
    WITH closed AS (
        DELETE FROM rollup_noted WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM rollup_noted WHERE bucket < state.ready_5m LIMIT most))
        RETURNING bucket, device_id
    ), taken AS (
        INSERT INTO rollup_todo (level, bucket, device_id) SELECT 0, bucket, device_id FROM closed
        ON CONFLICT DO NOTHING
    )
    SELECT count(*) INTO late FROM closed;
    RETURN late = most;
END $$;

-- Summarizes a span of readings from before they were noted.
CREATE FUNCTION rollup_span(from_time timestamptz, to_time timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO rollup_5m
        SELECT date_bin(INTERVAL ''5 minutes'', time, ''epoch''), device_id, plant_id, %s
        FROM telemetry WHERE time >= $1 AND time < $2 GROUP BY 1, 2, 3 %s',
        rollup_of_readings(), rollup_replacing('rollup_5m')) USING from_time, to_time;
    INSERT INTO rollup_todo (level, bucket, device_id)
    SELECT DISTINCT 1, date_bin(INTERVAL '1 hour', bucket, 'epoch'), device_id
    FROM rollup_5m WHERE bucket >= from_time AND bucket < to_time
    ON CONFLICT DO NOTHING;
END $$;

-- Summarizes single five minutes of devices again.
CREATE FUNCTION rollup_minutes(buckets timestamptz[], devices uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- One by one, so that only the readings of those minutes are looked at.
    EXECUTE format(
        'INSERT INTO rollup_5m
        SELECT changed.bucket, changed.device_id, made.*
        FROM unnest($1, $2) AS changed (bucket, device_id)
        CROSS JOIN LATERAL (
            SELECT plant_id, %s FROM telemetry
            WHERE device_id = changed.device_id AND time >= changed.bucket
                AND time < changed.bucket + INTERVAL ''5 minutes''
            GROUP BY plant_id) made %s',
        rollup_of_readings(), rollup_replacing('rollup_5m')) USING buckets, devices;
    INSERT INTO rollup_todo (level, bucket, device_id)
    SELECT DISTINCT 1, date_bin(INTERVAL '1 hour', changed.bucket, 'epoch'), changed.device_id
    FROM unnest(buckets, devices) AS changed (bucket, device_id)
    ON CONFLICT DO NOTHING;
END $$;

-- Summarizes the hours that are to be and are over.
CREATE FUNCTION rollup_hours(until timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'WITH changed AS (
            DELETE FROM rollup_todo WHERE level = 1 AND bucket < $1 RETURNING bucket, device_id
        )
        INSERT INTO rollup_1h
        SELECT changed.bucket, changed.device_id, made.*
        FROM changed CROSS JOIN LATERAL (
            SELECT plant_id, %s FROM rollup_5m
            WHERE device_id = changed.device_id AND bucket >= changed.bucket
                AND bucket < changed.bucket + INTERVAL ''1 hour''
            GROUP BY plant_id) made %s',
        rollup_of_rollups(), rollup_replacing('rollup_1h')) USING until;
END $$;

-- Summarizes the days that are to be and are over. Made of five minutes, not of hours: there are zones that are 15, 30
-- or 45 minutes off. A day has 25 hours at most.
CREATE FUNCTION rollup_days(until timestamptz, zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'WITH changed AS (
            DELETE FROM rollup_todo WHERE level = 2 AND bucket < $1 RETURNING bucket, device_id
        )
        INSERT INTO rollup_1d
        SELECT changed.bucket, changed.device_id, made.*
        FROM changed CROSS JOIN LATERAL (
            SELECT plant_id, %s FROM rollup_5m
            WHERE device_id = changed.device_id AND bucket >= changed.bucket
                AND bucket < changed.bucket + INTERVAL ''28 hours'' AND local_day(bucket, $2) = changed.bucket
            GROUP BY plant_id) made %s',
        rollup_of_rollups(), rollup_replacing('rollup_1d')) USING until, zone;
END $$;

-- One step of the work: everything in one transaction, so that whoever reads sees all of it or nothing.
-- Returns whether there is more to do.
CREATE FUNCTION rollup_work(most integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    state rollup_state;
    next_5m timestamptz;
    next_1h timestamptz;
    next_1d timestamptz;
    buckets timestamptz[];
    devices uuid[];
BEGIN
    SELECT * INTO state FROM rollup_state FOR UPDATE;
    IF state.ready_5m < LEAST(state.noted_from, state.closed_until) THEN
        next_5m := LEAST(
            state.noted_from, state.closed_until,
            date_trunc('month', state.ready_5m, 'UTC') + INTERVAL '1 month');
        PERFORM rollup_span(state.ready_5m, next_5m);
    ELSE
        next_5m := GREATEST(state.ready_5m, state.closed_until);
        -- What has just ended, all of it, and of what came late so much at a time.
        WITH late AS (
            SELECT bucket, device_id FROM rollup_todo WHERE level = 0 AND bucket < state.ready_5m
            ORDER BY bucket, device_id LIMIT most
        ), taken AS (
            DELETE FROM rollup_todo t WHERE t.level = 0
                AND (t.bucket >= state.ready_5m
                    OR (t.bucket, t.device_id) IN (SELECT l.bucket, l.device_id FROM late l))
            RETURNING t.bucket, t.device_id
        )
        SELECT array_agg(t.bucket), array_agg(t.device_id) INTO buckets, devices FROM taken t;
        IF buckets IS NOT NULL THEN PERFORM rollup_minutes(buckets, devices); END IF;
    END IF;

    next_1h := date_bin(INTERVAL '1 hour', next_5m, 'epoch');
    next_1d := local_day(next_5m, state.zone);
    INSERT INTO rollup_todo (level, bucket, device_id)
    SELECT DISTINCT 2, local_day(t.bucket + part, state.zone), t.device_id
    -- The hour in which a day begins belongs to both.
    FROM rollup_todo t, unnest(ARRAY[INTERVAL '0', INTERVAL '55 minutes']) AS part WHERE t.level = 1
    ON CONFLICT DO NOTHING;
    PERFORM rollup_hours(next_1h);
    PERFORM rollup_days(next_1d, state.zone);
    UPDATE rollup_state s SET
        ready_5m = next_5m, ready_1h = next_1h, ready_1d = next_1d, is_complete = next_5m >= s.noted_from;
    RETURN next_5m < LEAST(state.noted_from, state.closed_until)
        OR EXISTS (SELECT 1 FROM rollup_todo WHERE level = 0 AND bucket < next_5m);
END $$;

-- Lets days begin at another zone's midnight: all of them are summarized anew, in this transaction.
CREATE FUNCTION telemetry_set_zone(new_zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM rollup_state FOR UPDATE;
    UPDATE rollup_state SET zone = new_zone, ready_1d = local_day(ready_5m, new_zone);
    DELETE FROM rollup_1d;
    DELETE FROM rollup_todo WHERE level = 2;
    EXECUTE format(
        'INSERT INTO rollup_1d
        SELECT local_day(bucket, $1), device_id, plant_id, %s
        FROM rollup_5m WHERE local_day(bucket, $1) < (SELECT ready_1d FROM rollup_state) GROUP BY 1, 2, 3',
        rollup_of_rollups()) USING new_zone;
    INSERT INTO rollup_todo (level, bucket, device_id)
    SELECT DISTINCT 2, local_day(bucket, new_zone), device_id
    FROM rollup_5m WHERE bucket >= (SELECT ready_1d FROM rollup_state);
END $$;

-- Drops the partitions that end before an instant and whose readings are summarized.
-- Returns how many.
CREATE FUNCTION telemetry_drop_before(until timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    partition record;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname AS name,
            (to_date(right(c.relname, 7), 'YYYY_MM') + INTERVAL '1 month')::timestamp AT TIME ZONE 'UTC' AS ends
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'telemetry'::regclass AND c.relname ~ '^telemetry_\d{4}_\d{2}$' ORDER BY 1
    LOOP
        EXIT WHEN partition.ends > LEAST(until, (SELECT ready_5m FROM rollup_state));
        EXIT WHEN EXISTS (SELECT 1 FROM rollup_noted WHERE bucket < partition.ends)
            OR EXISTS (SELECT 1 FROM rollup_todo WHERE level = 0 AND bucket < partition.ends);
        EXECUTE format('DROP TABLE %I', partition.name);
        UPDATE rollup_state SET raw_from = GREATEST(raw_from, partition.ends);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
