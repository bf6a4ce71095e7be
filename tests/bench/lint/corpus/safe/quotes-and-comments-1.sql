-- DROP TABLE orders;
INSERT INTO notes (body) VALUES ('DROP TABLE orders; -- not really'), ($x$TRUNCATE orders;$x$);
/* UPDATE orders SET state = 'open'; /* nested */ */
SELECT 1;
