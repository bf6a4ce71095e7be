ALTER TABLE orders ADD CONSTRAINT price_positive CHECK (price > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT price_positive;
