-- Readings in plain PostgreSQL: one partition per month (UTC). Same columns as m0002_telemetry_timescale.

CREATE TABLE telemetry (
    time             timestamptz NOT NULL,
    device_id        uuid NOT NULL,
    plant_id         uuid,
    soil_moisture    double precision,
    temperature      double precision,
    humidity         double precision,
    light_level      double precision,
    soil_temperature double precision,
    soil_ec          double precision,
    co2              double precision,
    pressure         double precision,
    battery          double precision,
    battery_voltage  double precision,
    rssi             double precision,
    extra            jsonb,
    time_source      text NOT NULL,
    received_at      timestamptz NOT NULL
) PARTITION BY RANGE (time);
CREATE UNIQUE INDEX telemetry_device_time ON telemetry (device_id, time);
CREATE INDEX telemetry_plant_time ON telemetry (plant_id, time) WHERE plant_id IS NOT NULL;

-- Makes the partitions for the months that the span touches.
-- Returns how many were missing.
CREATE FUNCTION telemetry_ensure_partitions(from_time timestamptz, to_time timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    month timestamptz := date_trunc('month', from_time, 'UTC');
    following timestamptz;
    partition text;
    made integer := 0;
BEGIN
    WHILE month <= to_time LOOP
        following := date_trunc('month', month + INTERVAL '32 days', 'UTC');
        partition := 'telemetry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass(partition) IS NULL THEN
            -- Two backends may come here at once. This lock lets readers and writers pass, and unlike an advisory
            -- one it makes us see what the other has just made.
            LOCK TABLE telemetry IN SHARE UPDATE EXCLUSIVE MODE;
            IF to_regclass(partition) IS NULL THEN
                -- Made on its own and attached: CREATE … PARTITION OF would lock out readers and writers.
                EXECUTE format('CREATE TABLE %I (LIKE telemetry INCLUDING DEFAULTS)', partition);
                EXECUTE format('ALTER TABLE telemetry ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                               partition, month, following);
                made := made + 1;
            END IF;
        END IF;
        month := following;
    END LOOP;
    RETURN made;
END
$$;
