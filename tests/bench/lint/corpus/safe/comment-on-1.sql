COMMENT ON TABLE orders IS 'All orders';
