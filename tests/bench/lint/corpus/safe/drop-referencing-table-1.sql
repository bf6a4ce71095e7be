CREATE TABLE pools (id bigint PRIMARY KEY);
CREATE TABLE lines (id bigint PRIMARY KEY, pool_id bigint REFERENCES pools);
CREATE INDEX lines_pool_id ON lines (pool_id);
DROP TABLE lines;
