CREATE TABLE orders (id bigint PRIMARY KEY, note text);
ALTER TABLE orders ADD CHECK (id > 0 AND (note IS NOT NULL));
-- lint below
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
