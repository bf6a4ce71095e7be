SET LOCAL statement_timeout TO '5min';
UPDATE orders SET state = 'open' WHERE id < 10;
