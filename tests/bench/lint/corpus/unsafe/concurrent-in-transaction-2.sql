CREATE TABLE labels (id bigint PRIMARY KEY, name text);
CREATE UNIQUE INDEX CONCURRENTLY labels_name_idx ON labels (name);
