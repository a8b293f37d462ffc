-- What happened to a plant: waterings that were detected or entered, notes, fertilizing, repotting.

CREATE TABLE plant_events (
    id            uuid PRIMARY KEY,
    plant_id      uuid NOT NULL REFERENCES plants (id) ON DELETE CASCADE,
    kind          text NOT NULL CONSTRAINT plant_events_kind
        CHECK (kind IN ('watering', 'note', 'fertilizing', 'repotting')),
    at            timestamptz NOT NULL,
    source        text NOT NULL CONSTRAINT plant_events_source CHECK (source IN ('entered', 'detected')),
    note          text,
    amount_ml     double precision,
    -- Soil moisture in %, of a watering that sensors have seen; and which device saw it, which may be gone since.
    value_before  double precision,
    value_after   double precision,
    device_id     uuid,
    by_user       uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at    timestamptz NOT NULL,
    -- A watering that sensors have seen and a person removed stays, unseen, so that it is not found again.
    deleted_at    timestamptz
);
CREATE INDEX plant_events_plant_at ON plant_events (plant_id, at DESC, id DESC);
-- For the removal of a user.
CREATE INDEX plant_events_by_user ON plant_events (by_user) WHERE by_user IS NOT NULL;
