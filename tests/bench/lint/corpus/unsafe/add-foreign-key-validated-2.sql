ALTER TABLE orders ADD FOREIGN KEY (customer_id, region) REFERENCES customers (id, region) ON DELETE SET NULL;
