CREATE TABLE labels (id bigint PRIMARY KEY, name text);
ALTER TABLE labels ALTER name SET DEFAULT '';
