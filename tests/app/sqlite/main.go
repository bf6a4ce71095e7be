// Release 0.9.0 of notes, which keeps them in a SQLite file. It is built from the files of the folder above, with these in
// place of those of the same name, so that only its image carries SQLite.
package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	level := &slog.LevelVar{}
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	s, err := readSettings(withoutPostgres)
	if err != nil {
		log.Error("settings are wrong", "error", err.Error())
		os.Exit(2)
	}
	path := os.Getenv("DATABASE_PATH")
	if path == "" {
		log.Error("settings are wrong", "error", "DATABASE_PATH is missing")
		os.Exit(2)
	}
	level.Set(s.logLevel)
	if err := run(s, path, log); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

// withoutPostgres is the environment for the settings that this release shares with those after it.
func withoutPostgres(name string) string {
	if strings.HasPrefix(name, "DATABASE_") {
		return map[string]string{
			"DATABASE_HOST": "none", "DATABASE_NAME": "none", "DATABASE_USER": "none", "DATABASE_PASSWORD": "none",
		}[name]
	}
	return os.Getenv(name)
}

func run(s settings, path string, log *slog.Logger) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	db, err := openFile(stop, path)
	if err != nil {
		return err
	}
	defer db.Close()
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	s.fault.start(log)
	return newApp(s, file{db: db}, log).serve(listener, stop.Done())
}
