ALTER TABLE orders ADD CONSTRAINT price_positive CHECK (price > 0);
