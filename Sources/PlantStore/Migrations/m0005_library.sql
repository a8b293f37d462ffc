-- Species that people added, what lights a plant, and how large the database was.

-- Besides the species that come with the program. What is empty is not known.
CREATE TABLE species (
    id               uuid PRIMARY KEY,
    scientific_name  text NOT NULL,
    common_name      text,
    light            text CONSTRAINT species_light CHECK (light IN ('shade', 'partial', 'full')),
    water            text CONSTRAINT species_water CHECK (water IN ('low', 'moderate', 'high')),
    -- Lowest USDA hardiness zone.
    usda_zone_min    integer,
    -- Limits to suggest instead of those that follow from the classes.
    thresholds       jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX species_scientific_name ON species (lower(scientific_name));

-- What most of a plant's light comes from: it decides how much of the measured lux a plant can use.
ALTER TABLE plants
    ADD COLUMN light_source text NOT NULL DEFAULT 'sun';

-- One row per hour: from these follows how fast the database grows.
CREATE TABLE storage_samples (
    taken_at  timestamptz PRIMARY KEY,
    bytes     bigint NOT NULL
);
