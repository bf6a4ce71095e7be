-- the table is older than this run
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);
-- lint below
CREATE INDEX ON orders (customer_id);
