CREATE DOMAIN label AS text;
-- lint below
ALTER TABLE customers ADD COLUMN name label DEFAULT 'nobody';
