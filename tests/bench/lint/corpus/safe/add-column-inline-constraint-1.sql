ALTER TABLE orders ADD CONSTRAINT orders_number UNIQUE USING INDEX orders_number_idx;
