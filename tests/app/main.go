// Command notes is the web application that the tests of this collection take to production.
package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	level := &slog.LevelVar{}
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	s, err := readSettings(os.Getenv)
	if err != nil {
		log.Error("settings are wrong", "error", err.Error())
		os.Exit(2)
	}
	level.Set(s.logLevel)
	if err := run(s, log); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

func run(s settings, log *slog.Logger) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	// The pool connects when first used: a database that is down delays readiness, not the start.
	db, err := pgxpool.NewWithConfig(context.Background(), s.database)
	if err != nil {
		return err
	}
	defer db.Close()
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	s.fault.start(log)
	return newApp(s, tables{db: db, schema: s.schema}, log).serve(listener, stop.Done())
}
