CREATE TABLE labels (id bigint PRIMARY KEY, name text);
UPDATE labels SET name = '';
