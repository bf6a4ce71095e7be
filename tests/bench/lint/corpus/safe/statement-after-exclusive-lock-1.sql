CREATE TABLE labels (id bigint PRIMARY KEY, name text);
INSERT INTO labels SELECT id, note FROM orders;
