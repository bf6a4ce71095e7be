DELETE FROM orders USING customers;
