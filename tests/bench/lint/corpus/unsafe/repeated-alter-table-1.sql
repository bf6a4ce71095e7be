ALTER TABLE orders ADD COLUMN state text;
ALTER TABLE orders ADD COLUMN region text;
