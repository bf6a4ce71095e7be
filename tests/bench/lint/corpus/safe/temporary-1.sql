CREATE TEMPORARY TABLE picked AS SELECT id FROM orders WHERE state = 'lost';
DELETE FROM picked;
DROP TABLE picked;
