CREATE TABLE labels (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, weight integer, kind smallint);
