CREATE TABLE orders (id bigint PRIMARY KEY, note text, state text);
ALTER TABLE orders ADD CONSTRAINT state_there CHECK (state IS NOT NULL) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT state_there;
-- lint below
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
