SET idle_in_transaction_session_timeout = DEFAULT;
UPDATE orders SET state = 'open' WHERE id < 10;
