package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

type note struct {
	ID        int64     `json:"id"`
	Text      string    `json:"text"`
	Tag       string    `json:"tag,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

type poolState struct{ used, idle, max int32 }

// store is what the handlers need of the database.
type store interface {
	check(ctx context.Context) error
	create(ctx context.Context, text, tag string) (note, error)
	list(ctx context.Context, search string, limit int) ([]note, error)
	pool() poolState
}

// tables keeps notes in PostgreSQL; schema says which columns this release uses.
type tables struct {
	db     *pgxpool.Pool
	schema int
}

const columnsSQL = `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('notes') AND attnum > 0 AND NOT attisdropped`

// check says in words what keeps this release from serving, or nil.
func (t tables) check(ctx context.Context) error {
	rows, err := t.db.Query(ctx, columnsSQL)
	if err != nil {
		return fmt.Errorf("database does not answer: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("database does not answer: %w", err)
	}
	return checkColumns(names, t.schema)
}

func checkColumns(names []string, schema int) error {
	if len(names) == 0 {
		return errors.New("table notes is missing: run migration 0001_create_notes.sql")
	}
	for _, name := range names {
		if name == "tag" {
			return nil
		}
	}
	if schema >= 2 {
		return errors.New("column notes.tag is missing: run migration 0002_add_tag.sql before this release")
	}
	return nil
}

func (t tables) create(ctx context.Context, text, tag string) (note, error) {
	made := note{Text: text}
	if t.schema < 2 {
		err := t.db.QueryRow(ctx, `INSERT INTO notes (text) VALUES ($1) RETURNING id, created_at`, text).
			Scan(&made.ID, &made.CreatedAt)
		return made, err
	}
	made.Tag = tag
	err := t.db.QueryRow(ctx, `INSERT INTO notes (text, tag) VALUES ($1, $2) RETURNING id, created_at`, text, tag).
		Scan(&made.ID, &made.CreatedAt)
	return made, err
}

var likeEscape = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (t tables) list(ctx context.Context, search string, limit int) ([]note, error) {
	columns := `id, text, '' AS tag, created_at`
	if t.schema >= 2 {
		columns = `id, text, tag, created_at`
	}
	pattern := "%" + likeEscape.Replace(search) + "%"
	rows, err := t.db.Query(ctx, `SELECT `+columns+` FROM notes WHERE text ILIKE $1 ORDER BY id DESC LIMIT $2`, pattern, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[note])
}

func (t tables) pool() poolState {
	stat := t.db.Stat()
	return poolState{used: stat.AcquiredConns(), idle: stat.IdleConns(), max: stat.MaxConns()}
}
