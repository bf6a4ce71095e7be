CREATE TABLE orders (id bigint PRIMARY KEY, at timestamp without time zone, net cidr);
-- lint below
ALTER TABLE orders ALTER at TYPE timestamptz, ALTER net TYPE inet;
