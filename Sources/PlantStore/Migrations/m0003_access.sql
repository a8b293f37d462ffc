-- Who may come in: people, what they sign in with, devices' credentials, and a record of who changed what.

CREATE TABLE users (
    id                   uuid PRIMARY KEY,
    -- Lower case.
    email                text NOT NULL CONSTRAINT users_email_key UNIQUE,
    role                 text NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
    -- A PHC string: algorithm, its parameters, salt and hash.
    password_hash        text NOT NULL,
    last_sign_in_at      timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL
);

-- Tokens are random and kept as SHA-256 only: whoever reads this database can sign in as nobody.
CREATE TABLE sessions (
    token_hash    bytea PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    address       text NOT NULL,
    user_agent    text
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE api_tokens (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('viewer', 'member', 'admin')),
    token_hash    bytea NOT NULL CONSTRAINT api_tokens_token_hash_key UNIQUE,
    created_at    timestamptz NOT NULL,
    -- NULL: never.
    expires_at    timestamptz,
    last_used_at  timestamptz
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

-- Failed attempts to sign in, counted before the password is looked at so that attempts made at the same time count,
-- too. The key is a hash of what is counted: an address, an account, or both together.
CREATE TABLE sign_in_attempts (
    key            bytea PRIMARY KEY,
    attempts       integer NOT NULL,
    first_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX sign_in_attempts_last_at ON sign_in_attempts (last_at);

-- Where an account has signed in from, by address and by the cookie of a session (which may be over): those stay open
-- while others try its password. The place is a hash.
CREATE TABLE sign_in_places (
    user_id  uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    place    bytea NOT NULL,
    last_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, place)
);

CREATE TABLE enrollment_tokens (
    id          uuid PRIMARY KEY,
    label       text NOT NULL,
    token_hash  bytea NOT NULL CONSTRAINT enrollment_tokens_token_hash_key UNIQUE,
    max_uses    integer NOT NULL,
    uses        integer NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL
);

ALTER TABLE devices
    -- Sealed, and kept so that a broker that lost its state can be told again. NULL for a device from before this
    -- migration: only the broker knows its password.
    ADD COLUMN mqtt_password           bytea,
    -- Names that password; the broker's entry carries it, which shows whether the two agree.
    ADD COLUMN credentials_id          uuid,
    -- New credentials the broker has not been told of yet, or that wait for a member's approval. The ones above stay
    -- valid until then.
    ADD COLUMN offered_password        bytea,
    ADD COLUMN offered_credentials_id  uuid,
    ADD COLUMN offered_at              timestamptz,
    ADD COLUMN offer_needs_approval    boolean NOT NULL DEFAULT false,
    -- From where approval was asked for.
    ADD COLUMN requested_from          text,
    ADD COLUMN requested_at            timestamptz,
    -- The enrollment token the last offer was made with, and when it was accepted: a device that did not get the answer
    -- may ask once more without using the token again.
    ADD COLUMN offered_with            uuid,
    ADD COLUMN enrolled_at             timestamptz,
    ADD COLUMN approved                boolean NOT NULL DEFAULT true,
    ADD COLUMN enabled                 boolean NOT NULL DEFAULT true,
    -- The broker does not know the device and its sealed password cannot be opened.
    ADD COLUMN needs_enrollment        boolean NOT NULL DEFAULT false;

ALTER TABLE device_state
    -- Seconds between readings as they come, smoothed: what is expected of a device that declared nothing.
    ADD COLUMN learned_interval_seconds  double precision,
    -- When its silence was noticed; NULL while it is heard of.
    ADD COLUMN offline_since             timestamptz;

CREATE TABLE device_commands (
    id          uuid PRIMARY KEY,
    device_id   uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    command     text NOT NULL,
    args        jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    -- When the broker took it.
    sent_at     timestamptz,
    result_at   timestamptz,
    ok          boolean,
    detail      text
);
CREATE INDEX device_commands_device ON device_commands (device_id, id DESC);

-- Who changed what, when and from where. Names are copied: the record outlives what it speaks of.
CREATE TABLE audit_log (
    id              uuid PRIMARY KEY,
    at              timestamptz NOT NULL,
    actor_kind      text NOT NULL,
    actor_id        uuid,
    actor_name      text,
    action          text NOT NULL,
    subject_kind    text,
    subject_id      uuid,
    subject_name    text,
    details         jsonb NOT NULL DEFAULT '{}',
    address         text,
    correlation_id  text,
    -- Of the kind that anybody can cause many of; kept apart when the log is cut, so that they push nothing else out.
    is_frequent     boolean NOT NULL DEFAULT false
);
CREATE INDEX audit_log_frequent ON audit_log (id DESC) WHERE is_frequent;
CREATE INDEX audit_log_subject ON audit_log (subject_id, id DESC) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_log_action ON audit_log (action, id DESC);

-- What belongs to the instance as a whole.
CREATE TABLE settings (
    name        text PRIMARY KEY,
    value       jsonb NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);
