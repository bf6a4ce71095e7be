SET LOCAL statement_timeout TO '0';
UPDATE orders SET state = 'open' WHERE id < 10;
