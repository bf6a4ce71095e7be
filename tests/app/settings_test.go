package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func from(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func complete(more map[string]string) map[string]string {
	values := map[string]string{
		"DATABASE_HOST": "db", "DATABASE_NAME": "notes", "DATABASE_USER": "o'brien", "DATABASE_PASSWORD": "pa'ss word",
	}
	for name, value := range more {
		values[name] = value
	}
	return values
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	_, err := readSettings(from(map[string]string{"APP_PORT": "x", "APP_FAULT": "sloww", "APP_DRAIN_DELAY": "5", "LOG_LEVEL": "loud"}))
	for _, name := range []string{
		"APP_PORT", "APP_FAULT", "APP_DRAIN_DELAY", "LOG_LEVEL", "DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD",
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestDefaultsAndDatabaseTarget(t *testing.T) {
	s, err := readSettings(from(complete(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if s.listen != ":8080" || s.schema != 1 || s.fault.name != "" {
		t.Errorf("unexpected defaults: %+v", s)
	}
	target := s.database.ConnConfig
	if target.Host != "db" || target.Port != 5432 || target.User != "o'brien" || target.Password != "pa'ss word" {
		t.Errorf("unexpected target %s@%s:%d", target.User, target.Host, target.Port)
	}
	if strings.Contains(s.database.ConnString(), "pa'ss") {
		t.Error("the password is part of the connection string")
	}
}

func TestPasswordFileWinsAndIsTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := readSettings(from(complete(map[string]string{"DATABASE_PASSWORD_FILE": path})))
	if err != nil || s.database.ConnConfig.Password != "from file" {
		t.Errorf("password %q, %v", s.database.ConnConfig.Password, err)
	}
	_, err = readSettings(from(complete(map[string]string{"DATABASE_PASSWORD_FILE": path + "x"})))
	if err == nil || !strings.Contains(err.Error(), "DATABASE_PASSWORD_FILE cannot be read") {
		t.Errorf("unexpected %v", err)
	}
}

func TestErrorsHoldNoPassword(t *testing.T) {
	_, err := readSettings(from(complete(map[string]string{"DATABASE_SSLMODE": "sometimes", "DATABASE_PASSWORD": "s3cret"})))
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("unexpected %v", err)
	}
}
