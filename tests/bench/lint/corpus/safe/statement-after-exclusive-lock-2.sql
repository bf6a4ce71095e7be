UPDATE orders SET state = 'open' WHERE id = 7;
ALTER TABLE orders ADD COLUMN region text;
COMMENT ON COLUMN orders.region IS 'ISO 3166';
