-- Care plans, what people thought of them, and the language model that may write them.

CREATE TABLE care_plans (
    id            uuid PRIMARY KEY,
    plant_id      uuid NOT NULL REFERENCES plants (id) ON DELETE CASCADE,
    generated_at  timestamptz NOT NULL,
    source        text NOT NULL,
    -- Which model wrote it; NULL: none did.
    model         text,
    -- Why no model wrote it although one is set.
    note          text,
    reason        text NOT NULL,
    advice        jsonb NOT NULL,
    -- What the advice rests on.
    facts         jsonb NOT NULL,
    -- What is different from the plan before, in sentences.
    changes       jsonb NOT NULL DEFAULT '[]',
    -- SHA-256 of everything it was made from: the same again need not be asked again.
    input_hash    bytea NOT NULL
);
CREATE INDEX care_plans_plant ON care_plans (plant_id, generated_at DESC, id DESC);

CREATE TABLE care_feedback (
    plan_id  uuid NOT NULL REFERENCES care_plans (id) ON DELETE CASCADE,
    item     text NOT NULL,
    verdict  text NOT NULL,
    at       timestamptz NOT NULL,
    by_user  uuid REFERENCES users (id) ON DELETE SET NULL,
    PRIMARY KEY (plan_id, item)
);
CREATE INDEX care_feedback_user ON care_feedback (by_user) WHERE by_user IS NOT NULL;

-- Whose plan is being made, by which process: two never ask for the same at once.
CREATE TABLE care_state (
    plant_id       uuid PRIMARY KEY REFERENCES plants (id) ON DELETE CASCADE,
    claimed_by     uuid NOT NULL,
    -- A process that was killed lets go by itself.
    claimed_until  timestamptz NOT NULL
);

CREATE TABLE llm_settings (
    -- The sealed key is bound to it.
    id                    uuid PRIMARY KEY,
    only_row              boolean NOT NULL DEFAULT true UNIQUE CHECK (only_row),
    provider              text NOT NULL,
    -- NULL: the default of the provider.
    model                 text,
    base_url              text,
    -- Sealed: whoever knows it spends somebody's money.
    api_key               bytea,
    api_key_hint          text,
    -- Where it may be sent to: the provider and the base of its API, also when the operator has set it.
    api_key_place         text,
    -- NULL: as many as it takes.
    monthly_token_budget  bigint,
    automatic             boolean NOT NULL DEFAULT true,
    -- How the last attempt failed; NULL: it did not.
    last_error            text,
    last_error_at         timestamptz,
    -- Until then nothing is asked but by people.
    not_before            timestamptz,
    updated_at            timestamptz NOT NULL
);

-- What was spent, by month of the calendar at the place.
CREATE TABLE llm_usage (
    month          date NOT NULL,
    provider       text NOT NULL,
    model          text NOT NULL,
    requests       bigint NOT NULL DEFAULT 0,
    input_tokens   bigint NOT NULL DEFAULT 0,
    output_tokens  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (month, provider, model)
);

-- What a request under way may cost at most. It counts until it is known what it did cost.
CREATE TABLE llm_reservations (
    id           uuid PRIMARY KEY,
    month        date NOT NULL,
    provider     text NOT NULL,
    model        text NOT NULL,
    tokens       bigint NOT NULL,
    reserved_at  timestamptz NOT NULL
);
