-- Plants, devices, and what is known of each device now. The readings themselves come in m0002, whose form
-- depends on whether TimescaleDB is there.

CREATE TABLE plants (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    species     text,
    room        text,
    position_x  double precision,
    position_y  double precision,
    thresholds  jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT plants_position_whole CHECK ((position_x IS NULL) = (position_y IS NULL))
);

CREATE TABLE devices (
    id                          uuid PRIMARY KEY,
    mac_address                 text NOT NULL CONSTRAINT devices_mac_address_key UNIQUE,
    name                        text NOT NULL,
    firmware_version            text,
    sensor_types                text[] NOT NULL DEFAULT '{}',
    reporting_interval_seconds  integer,
    -- When the broker was first told of it; a device without is one whose registration failed half-way, and is not
    -- shown.
    registered_at               timestamptz,
    -- Kept when the plant is deleted, and with it the assignment: a used device takes no readings along.
    first_assigned_at           timestamptz,
    created_at                  timestamptz NOT NULL DEFAULT now(),
    updated_at                  timestamptz NOT NULL DEFAULT now()
);

-- Which plant a device stood in, and when: a reading that was buffered goes to the plant of its own time.
CREATE TABLE device_assignments (
    device_id      uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    plant_id       uuid NOT NULL REFERENCES plants (id) ON DELETE CASCADE,
    -- Readings from this instant on belong to the plant; -infinity for a device's first plant, so that what it
    -- buffered before somebody assigned it is not homeless.
    readings_from  timestamptz NOT NULL,
    assigned_at    timestamptz NOT NULL DEFAULT now(),
    unassigned_at  timestamptz,
    PRIMARY KEY (device_id, assigned_at)
);
CREATE UNIQUE INDEX device_assignments_current ON device_assignments (device_id) WHERE unassigned_at IS NULL;
CREATE INDEX device_assignments_plant ON device_assignments (plant_id);

-- One row per device, changed with every batch: kept apart from devices, and with room on each page, so that the
-- frequent updates stay on their page (HOT) and touch no index.
CREATE TABLE device_state (
    device_id            uuid PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    last_seen_at         timestamptz,
    status               text,
    status_at            timestamptz,
    uptime_seconds       double precision,
    free_heap_bytes      double precision,
    firmware_version     text,
    -- The newest reading; each metric carries the time it was measured, because not every reading has every metric.
    reading_at           timestamptz,
    reading_received_at  timestamptz,
    reading_time_source  text,
    soil_moisture        double precision,
    soil_moisture_at     timestamptz,
    temperature          double precision,
    temperature_at       timestamptz,
    humidity             double precision,
    humidity_at          timestamptz,
    light_level          double precision,
    light_level_at       timestamptz,
    soil_temperature     double precision,
    soil_temperature_at  timestamptz,
    soil_ec              double precision,
    soil_ec_at           timestamptz,
    co2                  double precision,
    co2_at               timestamptz,
    pressure             double precision,
    pressure_at          timestamptz,
    battery              double precision,
    battery_at           timestamptz,
    battery_voltage      double precision,
    battery_voltage_at   timestamptz,
    rssi                 double precision,
    rssi_at              timestamptz,
    -- name -> [value, microseconds since 1970]
    extra                jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- What could not be stored, and why.
CREATE TABLE dead_letters (
    id             uuid PRIMARY KEY,
    received_at    timestamptz NOT NULL,
    topic          text NOT NULL,
    device_id      uuid,
    reason         text NOT NULL,
    detail         text NOT NULL,
    -- The first 4 096 bytes.
    payload        bytea NOT NULL,
    payload_bytes  integer NOT NULL
);
CREATE INDEX dead_letters_received_at ON dead_letters (received_at DESC);

-- The messages a backend has committed whose readings were timed by the backend. The broker may deliver such a
-- message again (after a crash between commit and acknowledgement) under the same packet id; without this its reading
-- would be stored a second time under a later instant. One row per packet id at most: 65 535 per backend.
CREATE TABLE ingest_sessions (
    client_id       text PRIMARY KEY,
    -- The newest packet id that was committed: ids up to the receive maximum behind it may be delivered again.
    last_packet_id  integer NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE ingest_deliveries (
    client_id     text NOT NULL,
    packet_id     integer NOT NULL,
    fingerprint   bigint NOT NULL,
    committed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, packet_id)
) WITH (fillfactor = 50);
