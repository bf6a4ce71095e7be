ALTER TABLE orders ADD token text DEFAULT md5(random()::text);
