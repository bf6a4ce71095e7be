CREATE TABLE labels (id bigint PRIMARY KEY, name text NOT NULL);
ALTER TABLE labels ALTER name DROP NOT NULL;
