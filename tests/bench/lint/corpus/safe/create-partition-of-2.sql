CREATE TABLE metrics (at timestamptz NOT NULL, value float8) PARTITION BY RANGE (at);
CREATE TABLE metrics_2027 PARTITION OF metrics FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE INDEX metrics_at ON metrics (at);
