CREATE TABLE labels (id bigint, name text);
ALTER TABLE labels ADD PRIMARY KEY (id), ADD UNIQUE (name);
