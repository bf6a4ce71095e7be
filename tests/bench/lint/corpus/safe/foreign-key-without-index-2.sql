CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, UNIQUE (customer_id));
-- lint below
ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
