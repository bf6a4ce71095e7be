DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN state text'; END $$;
