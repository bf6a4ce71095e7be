CREATE TABLE orders (id bigint PRIMARY KEY, note text);
ALTER TABLE orders ADD CONSTRAINT note_there CHECK (note IS NOT NULL) NOT VALID;
-- lint below
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
