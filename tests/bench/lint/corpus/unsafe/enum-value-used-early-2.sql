ALTER TYPE order_state ADD VALUE IF NOT EXISTS 'lost' AFTER 'open';
ALTER TABLE orders ALTER state SET DEFAULT 'lost';
