ALTER TABLE orders ADD COLUMN customer_id bigint CONSTRAINT orders_customer REFERENCES customers (id) ON DELETE CASCADE;
