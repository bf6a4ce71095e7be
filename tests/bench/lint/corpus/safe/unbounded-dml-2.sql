-- golive: kind batch
-- golive: batch_table orders
UPDATE orders SET state = 'open' WHERE :range;
