-- golive: lock_timeout 5s
REINDEX INDEX CONCURRENTLY orders_note_idx;
