CREATE TABLE orders (id bigint PRIMARY KEY, price numeric(10,2));
-- lint below
ALTER TABLE orders ALTER price TYPE numeric(12,4);
