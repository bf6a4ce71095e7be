CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, at date);
CREATE INDEX orders_at_idx ON orders (at, customer_id);
-- lint below
ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
