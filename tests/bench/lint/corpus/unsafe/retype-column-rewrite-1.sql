CREATE TABLE orders (id integer PRIMARY KEY);
-- lint below
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
