ALTER TABLE orders ADD COLUMN token uuid;
