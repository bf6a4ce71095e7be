package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	maxBody     = 64 << 10
	maxNote     = 4000
	maxTag      = 100
	maxList     = 200
	queryLimit  = 5 * time.Second
	readyLimit  = 900 * time.Millisecond // below the kubelet's default probe timeout of 1 s, so that the cause is seen
	slowRequest = time.Second
)

// app is one serving process.
type app struct {
	settings settings
	store    store
	metrics  *metrics
	log      *slog.Logger
	draining atomic.Bool
	ready    atomic.Bool
	cause    atomic.Pointer[string] // of the last probe; empty when ready
}

func newApp(s settings, db store, log *slog.Logger) *app {
	return &app{settings: s, store: db, log: log, metrics: newMetrics(s.version, s.colour)}
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /metrics", a.scrape)
	inject := a.settings.fault.injector()
	mux.HandleFunc("GET /{$}", a.measured("/", inject(a.page)))
	mux.HandleFunc("GET /notes", a.measured("/notes", inject(a.listNotes)))
	mux.HandleFunc("POST /notes", a.measured("/notes", inject(a.createNote)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-App-Version", a.settings.version)
		header.Set("X-App-Colour", a.settings.colour)
		if a.settings.pod != "" {
			header.Set("X-App-Pod", a.settings.pod)
		}
		header.Set("X-Content-Type-Options", "nosniff")
		if a.draining.Load() {
			header.Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
}

// measured counts, times and limits an application route and logs what an operator must see.
func (a *app) measured(route string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(r.Context(), queryLimit)
		defer cancel()
		a.metrics.inFlight.Add(1)
		recorder := &statusRecorder{ResponseWriter: w, code: http.StatusOK}
		defer func() {
			if cause := recover(); cause != nil {
				a.log.Error("handler panicked", "route", route, "cause", cause)
				writeProblem(recorder, http.StatusInternalServerError, "internal error")
			}
			a.metrics.inFlight.Add(-1)
			took := time.Since(start)
			a.metrics.observe(r.Method, route, recorder.code, took.Seconds())
			level := slog.LevelDebug
			if recorder.code >= 500 || took > slowRequest {
				level = slog.LevelWarn
			}
			a.log.Log(ctx, level, "request", "method", r.Method, "route", route, "code", recorder.code,
				"ms", took.Milliseconds(), "peer", r.RemoteAddr)
		}()
		next(recorder, r.WithContext(ctx))
	}
}

func (a *app) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readyz answers 503 with the cause while this process must not get traffic.
func (a *app) readyz(w http.ResponseWriter, r *http.Request) {
	cause := a.notReady(r.Context())
	a.ready.Store(cause == "")
	if was := a.cause.Swap(&cause); was == nil || *was != cause {
		a.log.Info("readiness", "ready", cause == "", "cause", cause)
	}
	if cause != "" {
		writeProblem(w, http.StatusServiceUnavailable, cause)
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (a *app) notReady(ctx context.Context) string {
	if a.draining.Load() {
		return "draining: this process is shutting down"
	}
	if a.settings.fault.name == "neverready" {
		return "warming up: the search index is not loaded"
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	if err := a.store.check(ctx); err != nil {
		return err.Error()
	}
	return ""
}

func (a *app) scrape(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	a.metrics.write(w, a.store.pool(), a.ready.Load())
}

func (a *app) listNotes(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > maxList {
		limit = 50
	}
	notes, err := a.store.list(r.Context(), r.URL.Query().Get("q"), limit)
	if err != nil {
		a.databaseFailed(w, "list notes", err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"notes": notes})
}

func (a *app) createNote(w http.ResponseWriter, r *http.Request) {
	wanted, form, err := readNote(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	if length := utf8.RuneCountInString(wanted.text); length < 1 || length > maxNote || strings.ContainsRune(wanted.text, 0) {
		writeProblem(w, http.StatusBadRequest, "text must have 1 to 4000 characters")
		return
	}
	if utf8.RuneCountInString(wanted.tag) > maxTag || strings.ContainsRune(wanted.tag, 0) {
		writeProblem(w, http.StatusBadRequest, "tag must have at most 100 characters")
		return
	}
	made, err := a.store.create(r.Context(), wanted.text, wanted.tag)
	if err != nil {
		a.databaseFailed(w, "create a note", err)
		return
	}
	if form {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	writeJSON(w, http.StatusCreated, made)
}

type noteInput struct{ text, tag string }

// readNote takes JSON or a browser's form; a body that begins with a brace is JSON whatever its header says.
func readNote(source io.Reader) (wanted noteInput, form bool, err error) {
	body, err := io.ReadAll(source)
	if err != nil {
		return wanted, false, fmt.Errorf("cannot read the body: %w", err)
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] != '{' {
		values, err := url.ParseQuery(string(trimmed))
		return noteInput{values.Get("text"), values.Get("tag")}, true, err
	}
	var fields struct{ Text, Tag string }
	if err := json.Unmarshal(body, &fields); err != nil {
		return wanted, false, fmt.Errorf("the body is not JSON with a text: %w", err)
	}
	return noteInput{fields.Text, fields.Tag}, false, nil
}

// databaseFailed keeps the cause in the log: it may name hosts and users.
func (a *app) databaseFailed(w http.ResponseWriter, what string, err error) {
	a.log.Error("cannot "+what, "error", err.Error())
	writeProblem(w, http.StatusServiceUnavailable, "cannot "+what+" now")
}

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The client is gone when this fails; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

func writeProblem(w http.ResponseWriter, code int, cause string) {
	writeJSON(w, code, map[string]string{"error": cause})
}
