WITH gone AS (DELETE FROM orders RETURNING *) INSERT INTO orders_archive SELECT * FROM gone;
