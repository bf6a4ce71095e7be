CREATE INDEX CONCURRENTLY orders_a ON orders (a);
CREATE INDEX CONCURRENTLY orders_b ON orders (b);
