ALTER TABLE orders ALTER note TYPE text USING note::text;
