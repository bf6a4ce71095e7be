CREATE MATERIALIZED VIEW order_sums AS SELECT customer_id, sum(price) AS total FROM orders GROUP BY 1;
CREATE UNIQUE INDEX order_sums_customer ON order_sums (customer_id);
