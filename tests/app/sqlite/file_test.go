package main

import (
	"context"
	"path/filepath"
	"testing"
)

func TestNotesAreKeptInTheFile(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "notes.db")
	db, err := openFile(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (file{db}).create(ctx, "50 % off", ""); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = openFile(ctx, path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	kept := file{db}
	for search, wanted := range map[string]int{"50 %": 1, "50%": 0, "": 1} {
		found, err := kept.list(ctx, search, 10)
		if err != nil || len(found) != wanted {
			t.Fatalf("%q finds %v, %v; wanted %d", search, found, err, wanted)
		}
	}
	if err := kept.check(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestTheSettingsOfPostgresAreNotNeeded(t *testing.T) {
	t.Setenv("APP_VERSION", "0.9.0")
	s, err := readSettings(withoutPostgres)
	if err != nil || s.version != "0.9.0" {
		t.Fatal(s, err)
	}
}
