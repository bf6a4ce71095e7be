CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
-- lint below
ALTER TABLE customers ADD COLUMN mail email DEFAULT 'nobody@example.org';
