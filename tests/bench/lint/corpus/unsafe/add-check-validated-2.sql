ALTER TABLE orders ADD CHECK (price > 0 AND amount > 0) NO INHERIT;
