ALTER TABLE "drop column" ADD COLUMN "not null" text;
