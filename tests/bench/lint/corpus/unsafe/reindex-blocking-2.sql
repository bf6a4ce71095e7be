REINDEX (VERBOSE) INDEX orders_note_idx;
