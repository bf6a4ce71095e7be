CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- lint below
ALTER TABLE orders ALTER note TYPE varchar(20);
