-- Readings, where TimescaleDB is available. Same columns as m0002_telemetry_native.

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
);
SELECT create_hypertable('telemetry', by_range('time', INTERVAL '7 days'), create_default_indexes => false);
CREATE UNIQUE INDEX telemetry_device_time ON telemetry (device_id, time);
CREATE INDEX telemetry_plant_time ON telemetry (plant_id, time) WHERE plant_id IS NOT NULL;

-- TimescaleDB makes chunks by itself; the function is here so that the backend calls the same one on both paths.
CREATE FUNCTION telemetry_ensure_partitions(from_time timestamptz, to_time timestamptz) RETURNS integer
LANGUAGE sql AS 'SELECT 0';
