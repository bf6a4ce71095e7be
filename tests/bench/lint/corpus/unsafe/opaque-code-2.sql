CREATE FUNCTION clean() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN DROP TABLE IF EXISTS scratch; END $body$;
