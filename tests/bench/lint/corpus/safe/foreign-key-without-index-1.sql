CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders);
CREATE INDEX lines_order_id ON lines (order_id, id);
