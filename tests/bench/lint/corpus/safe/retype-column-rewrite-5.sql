CREATE TABLE labels (id bigint PRIMARY KEY, weight integer, name text);
ALTER TABLE labels ALTER name TYPE varchar(20), ALTER weight TYPE bigint;
