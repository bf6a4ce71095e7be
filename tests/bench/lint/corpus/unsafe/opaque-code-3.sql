CALL upgrade_orders();
