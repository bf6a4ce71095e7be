-- golive: batch
UPDATE orders SET state = 'open';
