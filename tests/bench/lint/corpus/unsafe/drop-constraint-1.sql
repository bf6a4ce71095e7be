ALTER TABLE orders DROP CONSTRAINT price_positive;
