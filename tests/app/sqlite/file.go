package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite"
)

// The time is kept as text, as many an app on SQLite does.
const (
	timeForm = "2006-01-02T15:04:05.000000Z07:00"
	makeSQL  = `CREATE TABLE IF NOT EXISTS notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created_at TEXT NOT NULL)`
)

// file keeps notes in SQLite.
type file struct{ db *sql.DB }

// openFile makes the file when it is missing. Several processes may have it open: WAL lets them read while one writes.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(4000)&_pragma=journal_mode(WAL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, makeSQL); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot use %s: %w", path, err), db.Close())
	}
	return db, nil
}

// check says in words what keeps this release from serving, or nil.
func (f file) check(ctx context.Context) error {
	var count int
	if err := f.db.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('notes')`).Scan(&count); err != nil {
		return fmt.Errorf("the file does not answer: %w", err)
	}
	if count == 0 {
		return errors.New("table notes is missing")
	}
	return nil
}

func (f file) create(ctx context.Context, text, _ string) (note, error) {
	made := note{Text: text, CreatedAt: time.Now().UTC()}
	done, err := f.db.ExecContext(ctx, `INSERT INTO notes (text, created_at) VALUES (?, ?)`, text, made.CreatedAt.Format(timeForm))
	if err != nil {
		return made, err
	}
	made.ID, err = done.LastInsertId()
	return made, err
}

func (f file) list(ctx context.Context, search string, limit int) ([]note, error) {
	pattern := "%" + likeEscape.Replace(search) + "%"
	rows, err := f.db.QueryContext(ctx, `SELECT id, text, created_at FROM notes WHERE text LIKE ? ESCAPE '\' ORDER BY id DESC LIMIT ?`, pattern, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []note{}
	for rows.Next() {
		var one note
		var created string
		if err := rows.Scan(&one.ID, &one.Text, &created); err != nil {
			return nil, err
		}
		if one.CreatedAt, err = time.Parse(timeForm, created); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

func (f file) pool() poolState {
	stat := f.db.Stats()
	return poolState{used: int32(stat.InUse), idle: int32(stat.Idle), max: int32(stat.MaxOpenConnections)}
}
