CREATE TABLE order_states (name text PRIMARY KEY);
INSERT INTO order_states VALUES ('open'), ('paid');
