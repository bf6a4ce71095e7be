CREATE TABLE orders (id bigint, note text);
CREATE UNIQUE INDEX orders_id ON orders (id);
-- lint below
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id;
