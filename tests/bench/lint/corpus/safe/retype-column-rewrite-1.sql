CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(100));
-- lint below
ALTER TABLE orders ALTER COLUMN note TYPE varchar(200);
