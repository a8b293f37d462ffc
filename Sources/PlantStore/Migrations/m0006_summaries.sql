-- What the rollups of both kinds of database (m0007) are made of.

CREATE TABLE rollup_state (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The days of telemetry_1d are days of this zone (IANA).
    zone         text NOT NULL,
    -- Single readings from before have been dropped; NULL: none have.
    raw_from     timestamptz,
    -- Readings that were there before the rollups have been summarized.
    is_complete  boolean NOT NULL DEFAULT false
);
INSERT INTO rollup_state (zone)
SELECT COALESCE((
    SELECT value ->> 'time_zone' FROM settings
    WHERE name = 'alerts' AND value ->> 'time_zone' IN (SELECT name FROM pg_timezone_names)), 'UTC');

-- Where the local day of an instant begins, as LocalDay has it. date_trunc alone does not, where the clocks go back over
-- midnight (Havana, the Azores): it gives the second passing, after the day's first hour.
CREATE FUNCTION local_day(at timestamptz, zone text) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE
        -- The second before shows the same day.
        WHEN before >= midnight THEN start - INTERVAL '1 second' - (before - midnight)
        -- Midnight was shown for a moment only: still the day before.
        WHEN start > at THEN date_trunc('day', start - INTERVAL '12 hours', zone)
        ELSE start END
    FROM (SELECT start, start AT TIME ZONE zone AS midnight, (start - INTERVAL '1 second') AT TIME ZONE zone AS before
        FROM (SELECT date_trunc('day', at, zone) AS start) day) clock
$$;

-- Extra metrics: {"name": value, …} in a reading, {"name": [mean, least, most, count], …} in a summary. While they are
-- added up, the first number is the sum.

CREATE FUNCTION extra_add(state jsonb, reading jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT state || COALESCE(jsonb_object_agg(key, CASE
        WHEN state ? key THEN jsonb_build_array(
            (state -> key -> 0)::float8 + value::float8, LEAST((state -> key -> 1)::float8, value::float8),
            GREATEST((state -> key -> 2)::float8, value::float8), (state -> key -> 3)::integer + 1)
        ELSE jsonb_build_array(value, value, value, 1) END), '{}')
    FROM jsonb_each(reading) WHERE jsonb_typeof(value) = 'number'
$$;

CREATE FUNCTION extra_join(state jsonb, summary jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT state || COALESCE(jsonb_object_agg(key, CASE
        WHEN state ? key THEN jsonb_build_array(
            (state -> key -> 0)::float8 + (value -> 0)::float8 * (value -> 3)::integer,
            LEAST((state -> key -> 1)::float8, (value -> 1)::float8),
            GREATEST((state -> key -> 2)::float8, (value -> 2)::float8),
            (state -> key -> 3)::integer + (value -> 3)::integer)
        ELSE jsonb_build_array(
            (value -> 0)::float8 * (value -> 3)::integer, value -> 1, value -> 2, value -> 3) END), '{}')
    FROM jsonb_each(summary)
$$;

CREATE FUNCTION extra_finish(state jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- A quotient that is too small for a float8 would be an error.
    SELECT jsonb_object_agg(key, jsonb_build_array(
        CASE WHEN abs((value -> 0)::float8) < 1e-200 THEN 0 ELSE (value -> 0)::float8 / (value -> 3)::integer END,
        value -> 1, value -> 2, value -> 3))
    FROM jsonb_each(state)
$$;

CREATE AGGREGATE extra_summary(jsonb) (
    SFUNC = extra_add, STYPE = jsonb, INITCOND = '{}', FINALFUNC = extra_finish, PARALLEL = SAFE
);
CREATE AGGREGATE extra_summary_of_summaries(jsonb) (
    SFUNC = extra_join, STYPE = jsonb, INITCOND = '{}', FINALFUNC = extra_finish, PARALLEL = SAFE
);

-- The columns of a rollup as they are made from readings: of each metric m the columns m_avg, m_min, m_max, m_count.
CREATE FUNCTION rollup_of_readings() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'count(*)::integer AS readings, '
        || string_agg(format(
            'avg(%1$I) AS %2$I, min(%1$I) AS %3$I, max(%1$I) AS %4$I, count(%1$I)::integer AS %5$I',
            attname, attname || '_avg', attname || '_min', attname || '_max', attname || '_count'), ', ' ORDER BY attnum)
        || ', extra_summary(extra) AS extra'
    FROM pg_attribute WHERE attrelid = 'telemetry'::regclass AND atttypid = 'float8'::regtype AND attnum > 0
$$;

-- The same columns, made from those of a finer rollup: every reading counts the same. A quotient that is too small for a
-- float8 would be an error, and with it everybody's summaries.
CREATE FUNCTION rollup_of_rollups() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'sum(readings)::integer AS readings, '
        || string_agg(format(
            'CASE WHEN abs(sum(%1$I * %4$I)) < 1e-200 THEN 0 ELSE sum(%1$I * %4$I) / NULLIF(sum(%4$I), 0) END AS %1$I, '
            'min(%2$I) AS %2$I, max(%3$I) AS %3$I, '
            'sum(%4$I)::integer AS %4$I',
            attname || '_avg', attname || '_min', attname || '_max', attname || '_count'), ', ' ORDER BY attnum)
        || ', extra_summary_of_summaries(extra) AS extra'
    FROM pg_attribute WHERE attrelid = 'telemetry'::regclass AND atttypid = 'float8'::regtype AND attnum > 0
$$;
