CREATE SEQUENCE orders_number_seq;
ALTER SEQUENCE orders_number_seq OWNED BY orders.number;
