ALTER TABLE orders ADD COLUMN state text;
VACUUM ANALYZE orders;
