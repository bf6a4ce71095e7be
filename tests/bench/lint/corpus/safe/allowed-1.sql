-- golive: allow drop-column: unused since release 41
ALTER TABLE orders DROP COLUMN note;
