CREATE OR REPLACE VIEW order_totals AS SELECT id, price * amount AS total FROM orders;
