CREATE TABLE labels (id bigint PRIMARY KEY, name text NOT NULL);
CREATE UNIQUE INDEX labels_name_idx ON labels (name);
