ALTER TABLE orders ADD COLUMN tags text[] NOT NULL DEFAULT ARRAY[]::text[], ADD COLUMN amount numeric(10,2) DEFAULT (1 + 2);
