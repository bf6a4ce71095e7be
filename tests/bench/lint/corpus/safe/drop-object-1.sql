CREATE TABLE scratch AS SELECT 1 AS id;
CREATE VIEW scratch_view AS SELECT id FROM scratch;
DROP VIEW scratch_view;
DROP TABLE scratch;
