package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// TestReleasesAndMigrations needs an empty database, named by the settings of the app itself.
func TestReleasesAndMigrations(t *testing.T) {
	if os.Getenv("DATABASE_HOST") == "" {
		t.Skip("DATABASE_HOST is not set")
	}
	s, err := readSettings(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	db, err := pgxpool.NewWithConfig(ctx, s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	one, two := tables{db, 1}, tables{db, 2}
	migrate := func(name string) {
		sql, err := os.ReadFile("migrations/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(ctx, string(sql)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(release tables, cause string) {
		t.Helper()
		err := release.check(ctx)
		if cause == "" && err != nil || cause != "" && (err == nil || !strings.Contains(err.Error(), cause)) {
			t.Errorf("schema %d: %v", release.schema, err)
		}
	}
	expect(one, "table notes is missing")
	migrate("0001_create_notes.sql")
	expect(one, "")
	expect(two, "column notes.tag is missing")
	if _, err := one.create(ctx, `100% of a_b\c`, "ignored"); err != nil {
		t.Fatal(err)
	}
	migrate("0002_add_tag.sql")
	expect(one, "")
	expect(two, "")
	if _, err := one.create(ctx, "old code, new table", ""); err != nil {
		t.Errorf("the old release cannot write after the expand step: %v", err)
	}
	if _, err := two.create(ctx, "new code", "tagged"); err != nil {
		t.Fatal(err)
	}
	for search, count := range map[string]int{"": 3, "100%": 1, "a_b": 1, "%": 1, `b\c`: 1, "CODE": 2, "axb": 0} {
		notes, err := one.list(ctx, search, 50)
		if err != nil || len(notes) != count {
			t.Errorf("search %q: %d notes, %v", search, len(notes), err)
		}
	}
	newest, err := two.list(ctx, "", 1)
	if err != nil || len(newest) != 1 || newest[0].Tag != "tagged" {
		t.Errorf("%v %v", newest, err)
	}
}
