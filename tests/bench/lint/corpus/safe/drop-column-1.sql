CREATE TABLE labels (id bigint PRIMARY KEY, name text, old text);
ALTER TABLE labels DROP COLUMN old;
