SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);
