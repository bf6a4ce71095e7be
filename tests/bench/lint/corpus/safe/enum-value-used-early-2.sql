ALTER TYPE order_state ADD VALUE 'lost';
-- lint below
INSERT INTO orders (state) VALUES ('lost');
