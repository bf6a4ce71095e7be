-- golive: kind tx
ALTER TABLE orders ADD COLUMN state text;
DROP INDEX CONCURRENTLY orders_note_idx;
