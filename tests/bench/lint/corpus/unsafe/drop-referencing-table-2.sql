ALTER TABLE lines ADD COLUMN note text;
ALTER TABLE lines DROP CONSTRAINT lines_order_id_fkey;
