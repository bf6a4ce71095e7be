ALTER TABLE orders ADD COLUMN region text;
INSERT INTO regions SELECT DISTINCT country FROM customers;
