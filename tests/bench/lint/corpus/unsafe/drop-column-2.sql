alter table only orders drop if exists note cascade;
