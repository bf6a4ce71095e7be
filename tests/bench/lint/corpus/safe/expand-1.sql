CREATE TABLE shop.labels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE INDEX ON shop.labels (lower(name));
GRANT SELECT ON shop.labels TO report;
