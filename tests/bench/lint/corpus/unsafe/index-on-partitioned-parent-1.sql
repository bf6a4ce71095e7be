CREATE TABLE events (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
-- lint below
CREATE INDEX events_at_idx ON events (at);
