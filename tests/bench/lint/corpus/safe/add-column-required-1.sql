ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'open';
