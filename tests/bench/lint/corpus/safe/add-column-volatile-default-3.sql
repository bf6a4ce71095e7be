ALTER TABLE orders ADD COLUMN extra jsonb NOT NULL DEFAULT '{"call": "random()"}'::jsonb;
