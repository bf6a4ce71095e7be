CREATE TABLE labels_new (id bigint PRIMARY KEY, name text);
ALTER TABLE labels_new RENAME COLUMN name TO title;
ALTER TABLE labels_new RENAME TO labels;
