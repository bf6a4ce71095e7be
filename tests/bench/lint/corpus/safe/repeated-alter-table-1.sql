ALTER TABLE orders ADD COLUMN state text, ADD COLUMN region text;
