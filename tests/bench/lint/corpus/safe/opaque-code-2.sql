DO $$ BEGIN RAISE NOTICE 'nothing is done here'; END $$;
