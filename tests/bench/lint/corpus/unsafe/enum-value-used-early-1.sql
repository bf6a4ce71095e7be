ALTER TYPE order_state ADD VALUE 'lost';
UPDATE orders SET state = 'lost' WHERE id = 7;
