CREATE INDEX CONCURRENTLY orders_most_idx ON orders (customer_id, state, created_at) INCLUDE (number);
