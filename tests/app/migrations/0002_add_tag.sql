-- Expand: releases before 2.0.0 neither read nor write this column and keep working.
ALTER TABLE notes ADD COLUMN tag text NOT NULL DEFAULT '';
