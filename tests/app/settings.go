package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// settings holds everything the process reads from its environment, once, at start.
type settings struct {
	listen     string
	version    string
	colour     string
	pod        string // as the kubelet names the host; empty outside of a pod
	schema     int    // 1: works with migration 0001 alone; 2: needs notes.tag of migration 0002
	logLevel   slog.Level
	drainDelay time.Duration // between "not ready" and closing the listener
	drainLimit time.Duration // for open requests after the listener is closed
	fault      fault
	database   *pgxpool.Config
}

// reader collects every wrong setting instead of stopping at the first.
type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) fail(name, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
}

func (r *reader) text(name, fallback string) string {
	if value := r.getenv(name); value != "" {
		return value
	}
	return fallback
}

func (r *reader) required(name string) string {
	value := r.getenv(name)
	if value == "" {
		r.fail(name, "is missing")
	}
	return value
}

func (r *reader) number(name string, fallback, low, high int) int {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	number, err := strconv.Atoi(value)
	if err != nil || number < low || number > high {
		r.fail(name, "must be a whole number from %d to %d, not %q", low, high, value)
		return fallback
	}
	return number
}

func (r *reader) duration(name string, fallback time.Duration) time.Duration {
	value := r.getenv(name)
	if value == "" {
		return fallback
	}
	length, err := time.ParseDuration(value)
	if err != nil || length < 0 {
		r.fail(name, "must be a length of time such as 500ms or 5s, not %q", value)
		return fallback
	}
	return length
}

func (r *reader) level(name string) slog.Level {
	var level slog.Level
	value := r.text(name, "info")
	if err := level.UnmarshalText([]byte(value)); err != nil {
		r.fail(name, "must be debug, info, warn or error, not %q", value)
	}
	return level
}

// password comes from a file (a mounted Secret) or from the environment; the file wins.
func (r *reader) password() string {
	path := r.getenv("DATABASE_PASSWORD_FILE")
	if path == "" {
		return r.required("DATABASE_PASSWORD")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		r.fail("DATABASE_PASSWORD_FILE", "cannot be read: %v", err)
		return ""
	}
	return strings.TrimRight(string(content), "\r\n")
}

var quoteEscape = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

// poolConfig builds the pool's settings; the password never enters the connection string, which errors may quote.
func (r *reader) poolConfig() *pgxpool.Config {
	target := ""
	for _, pair := range [][2]string{
		{"host", r.required("DATABASE_HOST")},
		{"port", strconv.Itoa(r.number("DATABASE_PORT", 5432, 1, 65535))},
		{"dbname", r.required("DATABASE_NAME")},
		{"user", r.required("DATABASE_USER")},
		{"sslmode", r.text("DATABASE_SSLMODE", "prefer")},
	} {
		target += pair[0] + "='" + quoteEscape.Replace(pair[1]) + "' "
	}
	password, size := r.password(), r.number("DATABASE_POOL_SIZE", 8, 1, 100)
	if len(r.errs) > 0 {
		return nil
	}
	config, err := pgxpool.ParseConfig(target)
	if err != nil {
		r.fail("DATABASE_*", "settings are not usable: %v", err)
		return nil
	}
	config.ConnConfig.Password = password
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	config.ConnConfig.RuntimeParams["application_name"] = "notes"
	config.MaxConns = int32(size)
	config.MaxConnIdleTime = 5 * time.Minute
	config.MaxConnLifetime = 30 * time.Minute
	return config
}

// readSettings returns the settings, or one error that names every wrong one and no secret.
func readSettings(getenv func(string) string) (settings, error) {
	r := &reader{getenv: getenv}
	s := settings{
		listen:     ":" + strconv.Itoa(r.number("APP_PORT", 8080, 1, 65535)),
		version:    r.text("APP_VERSION", "0.0.0"),
		colour:     r.text("APP_COLOUR", "none"),
		pod:        r.text("HOSTNAME", ""),
		schema:     r.number("APP_SCHEMA", 1, 1, 2),
		logLevel:   r.level("LOG_LEVEL"),
		drainDelay: r.duration("APP_DRAIN_DELAY", 5*time.Second),
		drainLimit: r.duration("APP_DRAIN_LIMIT", 20*time.Second),
		fault:      r.fault(),
		database:   r.poolConfig(),
	}
	return s, errors.Join(r.errs...)
}
