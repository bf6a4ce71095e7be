ALTER TABLE orders ADD COLUMN state text;
ALTER TABLE customers ADD COLUMN state text;
