CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(200));
-- lint below
ALTER TABLE orders ALTER note SET DATA TYPE varchar(100);
