CREATE TABLE labels (id bigint PRIMARY KEY);
ALTER SYSTEM SET work_mem = '1GB';
