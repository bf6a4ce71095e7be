CREATE TABLE labels (id bigint PRIMARY KEY, name text CONSTRAINT short CHECK (length(name) < 9));
ALTER TABLE labels DROP CONSTRAINT short;
