-- golive: kind autocommit
ALTER TABLE orders ADD COLUMN region text;
-- golive: repeatable
UPDATE orders SET region = 'x' WHERE id < 1000;
