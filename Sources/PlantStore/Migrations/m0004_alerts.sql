-- Alerts, whom they are told to, and what each device's conditions were when they were judged last.

ALTER TABLE device_state
    -- What the judging of a device's readings has to remember (SensorMemory+Coding.swift); NULL: nothing yet.
    ADD COLUMN alert_memory  bytea,
    -- Readings up to this time of the device's own clock have been judged.
    ADD COLUMN judged_until  timestamptz;

-- Whose silence was noticed before there were alerts: it is noticed anew.
UPDATE device_state SET offline_since = NULL WHERE offline_since IS NOT NULL;

ALTER TABLE plants
    ADD COLUMN snoozed_until timestamptz;

CREATE TABLE alerts (
    id               uuid PRIMARY KEY,
    -- What it is about (AlertSubject.key).
    subject_key      text NOT NULL,
    kind             text NOT NULL,
    -- No foreign keys: the history of an alert outlives what it speaks of, and so do the names.
    plant_id         uuid,
    device_id        uuid,
    metric           text,
    direction        text,
    plant_name       text,
    device_name      text,
    severity         text NOT NULL CHECK (severity IN ('warning', 'critical')),
    state            text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    value            double precision,
    limit_value      double precision,
    detail           text,
    started_at       timestamptz NOT NULL,
    fired_at         timestamptz,
    resolved_at      timestamptz,
    resolution       text,
    acknowledged_at  timestamptz,
    acknowledged_by  text,
    -- When people may have been told last that it fires; NULL: not yet, or there was nobody to tell.
    notified_at      timestamptz,
    -- When to tell them again.
    remind_at        timestamptz,
    reminders        integer NOT NULL DEFAULT 0,
    -- The devices that say so. It is over when none does.
    devices          uuid[] NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX alerts_open ON alerts (subject_key) WHERE state <> 'resolved';
CREATE INDEX alerts_subject ON alerts (subject_key, notified_at DESC);
CREATE INDEX alerts_started_at ON alerts (started_at DESC, id DESC);
CREATE INDEX alerts_plant ON alerts (plant_id, id DESC) WHERE plant_id IS NOT NULL;
CREATE INDEX alerts_device ON alerts (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX alerts_state ON alerts (state, id DESC) WHERE state <> 'resolved';
CREATE INDEX alerts_remind ON alerts (remind_at) WHERE remind_at IS NOT NULL;

CREATE TABLE channels (
    id                    uuid PRIMARY KEY,
    kind                  text NOT NULL CHECK (kind IN ('discord', 'webhook')),
    name                  text NOT NULL,
    -- Sealed: whoever knows the address may write to it.
    url                   bytea NOT NULL,
    url_hint              text NOT NULL,
    -- Sealed; NULL: messages are not signed.
    secret                bytea,
    secret_hint           text,
    min_severity          text NOT NULL,
    -- Both NULL: everything.
    plant_ids             uuid[],
    rooms                 text[],
    enabled               boolean NOT NULL,
    quiet_hours           jsonb,
    inherits_quiet_hours  boolean NOT NULL,
    digest                boolean,
    -- Nothing is sent before: the other side asked to wait.
    not_before            timestamptz,
    last_delivered_at     timestamptz,
    last_error            text,
    last_error_at         timestamptz,
    created_at            timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL
);

-- What is sent: one or many notifications in one message. Its id says which it is, however often it is sent.
CREATE TABLE messages (
    id               uuid PRIMARY KEY,
    seq              bigint GENERATED ALWAYS AS IDENTITY,
    channel_id       uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    group_key        text NOT NULL,
    content          jsonb NOT NULL,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts         integer NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    next_attempt_at  timestamptz NOT NULL,
    -- Somebody is sending it. If that time passes he is gone, and it is sent again.
    claimed_until    timestamptz,
    finished_at      timestamptz,
    last_status      integer,
    last_error       text
);
CREATE INDEX messages_waiting ON messages (channel_id, seq) WHERE state = 'waiting';
CREATE INDEX messages_group ON messages (channel_id, group_key, created_at DESC);
CREATE INDEX messages_finished ON messages (finished_at) WHERE state <> 'waiting';

-- The outbox: what a channel is to be told, written in the transaction that changed the alert.
CREATE TABLE notifications (
    id          uuid PRIMARY KEY,
    seq         bigint GENERATED ALWAYS AS IDENTITY,
    channel_id  uuid NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    alert_id    uuid NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    event       text NOT NULL,
    severity    text NOT NULL,
    -- What may be told in one message.
    group_key   text NOT NULL,
    -- As it was then (AlertNotice).
    notice      jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    -- It came in quiet hours.
    deferred    boolean NOT NULL DEFAULT false,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'composed', 'cancelled', 'skipped')),
    message_id  uuid REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX notifications_waiting ON notifications (channel_id, due_at) WHERE state = 'waiting';
CREATE INDEX notifications_alert ON notifications (alert_id, seq);
CREATE INDEX notifications_message ON notifications (message_id) WHERE message_id IS NOT NULL;
