CREATE TABLE labels (id bigint PRIMARY KEY);
ALTER TABLE orders ADD COLUMN state text;
ALTER TABLE labels ADD COLUMN name text;
