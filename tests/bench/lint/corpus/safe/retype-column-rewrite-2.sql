CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(100));
-- lint below
ALTER TABLE orders ALTER note TYPE text USING note::text;
