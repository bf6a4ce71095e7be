WITH source AS (SELECT id, note FROM orders WHERE state = 'open' FOR UPDATE)
INSERT INTO notes (order_id, body) SELECT id, note FROM source ON CONFLICT (order_id) DO UPDATE SET body = excluded.body;
