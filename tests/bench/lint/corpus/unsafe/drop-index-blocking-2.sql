DROP INDEX IF EXISTS shop.orders_note_idx, shop.orders_number_idx CASCADE;
