CREATE TABLE lines (
    id bigint PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES orders,
    twin_id bigint REFERENCES orders,
    parent_id bigint REFERENCES lines
);
CREATE INDEX lines_order_id ON lines (order_id);
CREATE INDEX lines_twin_id ON lines (twin_id);
CREATE INDEX lines_parent_id ON lines (parent_id);
