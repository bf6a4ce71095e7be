CREATE VIEW order_totals_2 AS SELECT id, price * amount AS total FROM orders;
