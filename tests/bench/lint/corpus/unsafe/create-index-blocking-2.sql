create unique index if not exists "Orders_number" on shop.orders using btree (lower(number)) where deleted_at is null;
