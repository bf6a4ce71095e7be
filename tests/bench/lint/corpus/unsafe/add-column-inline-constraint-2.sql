ALTER TABLE orders ADD COLUMN amount int DEFAULT 0 CHECK (amount >= 0);
