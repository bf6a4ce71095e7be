-- golive: kind tx
CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);
