RESET lock_timeout;
ALTER TABLE orders ADD COLUMN state text;
