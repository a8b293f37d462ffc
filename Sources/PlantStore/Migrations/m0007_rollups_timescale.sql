-- Rollups and compression, where TimescaleDB is available: continuous aggregates that are read with what has not been
-- summarized yet. Same names and columns as m0007_rollups_native. The backend refreshes them, compresses and drops
-- (SeriesUpkeep.swift), in that order; docs/adr/0009 says why the extension's own policies do not.

DO $$ BEGIN
    EXECUTE format(
        'CREATE MATERIALIZED VIEW telemetry_5m WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT time_bucket(INTERVAL ''5 minutes'', time) AS bucket, device_id, plant_id, %s
        FROM telemetry GROUP BY 1, 2, 3 WITH NO DATA', rollup_of_readings());
    EXECUTE format(
        'CREATE MATERIALIZED VIEW telemetry_1h WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT time_bucket(INTERVAL ''1 hour'', bucket) AS bucket, device_id, plant_id, %s
        FROM telemetry_5m GROUP BY 1, 2, 3 WITH NO DATA', rollup_of_rollups());
END $$;

-- Made of five minutes, not of hours: there are zones that are 15, 30 or 45 minutes off.
CREATE FUNCTION telemetry_make_days(zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE MATERIALIZED VIEW telemetry_1d WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT time_bucket(INTERVAL ''1 day'', bucket, %L) AS bucket, device_id, plant_id, %s
        FROM telemetry_5m GROUP BY 1, 2, 3 WITH NO DATA', zone, rollup_of_rollups());
END $$;
SELECT telemetry_make_days(zone) FROM rollup_state;

-- Lets days begin at another zone's midnight. They are summarized anew; until then they are read from the five minutes.
CREATE FUNCTION telemetry_set_zone(new_zone text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP MATERIALIZED VIEW telemetry_1d;
    PERFORM telemetry_make_days(new_zone);
    UPDATE rollup_state SET zone = new_zone;
END $$;

-- A chunk of them is compressed, too, when nothing is written into it any more. Hours and days are few.
SELECT set_chunk_time_interval('telemetry_5m', INTERVAL '28 days');
ALTER TABLE telemetry SET (
    timescaledb.enable_columnstore = true, timescaledb.segmentby = 'device_id, plant_id',
    timescaledb.orderby = 'time DESC');
ALTER MATERIALIZED VIEW telemetry_5m SET (
    timescaledb.enable_columnstore = true, timescaledb.segmentby = 'device_id, plant_id',
    timescaledb.orderby = 'bucket DESC');

-- The chunks of single readings and of five minutes that end before an instant and are not compressed yet.
CREATE FUNCTION telemetry_uncompressed_before(until timestamptz) RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT format('%I.%I', chunk_schema, chunk_name)::regclass FROM timescaledb_information.chunks
    WHERE NOT is_compressed AND range_end <= until AND hypertable_name IN (
        SELECT 'telemetry' UNION ALL
        SELECT materialization_hypertable_name FROM timescaledb_information.continuous_aggregates
        WHERE view_name = 'telemetry_5m')
    ORDER BY range_end
$$;

-- Drops the chunks of single readings that end before an instant. They must have been summarized: what is refreshed
-- after it was dropped is empty.
-- Returns how many.
CREATE FUNCTION telemetry_drop_before(until timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz;
    dropped integer;
BEGIN
    SELECT max(range_end) INTO ends FROM timescaledb_information.chunks
    WHERE hypertable_name = 'telemetry' AND range_end <= until;
    IF ends IS NULL THEN RETURN 0; END IF;
    SELECT count(*) INTO dropped FROM drop_chunks('telemetry', older_than => ends);
    UPDATE rollup_state SET raw_from = GREATEST(raw_from, ends);
    RETURN dropped;
END $$;
