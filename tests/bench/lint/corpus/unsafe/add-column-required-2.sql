ALTER TABLE orders ADD COLUMN state text CONSTRAINT has_state NOT NULL;
