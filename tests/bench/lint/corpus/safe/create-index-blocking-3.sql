CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_number ON orders (lower(number)) WHERE deleted_at IS NULL;
