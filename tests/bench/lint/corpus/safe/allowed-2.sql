-- golive: allow drop-object: replaced by the archive

DROP TABLE orders_2019;
DROP VIEW orders_2020;
