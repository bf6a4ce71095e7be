package main

import (
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

var faultNames = []string{"", "slow", "errors", "crash", "neverready", "oom"}

// fault is one deliberate defect of a test release; the zero value is a sound release.
type fault struct {
	name   string
	every  int           // slow, errors: one of so many requests is hit
	delay  time.Duration // slow: added to such a request
	after  time.Duration // crash: life of the process
	memory int           // oom: MiB after which a process without a memory limit gives up
}

func (r *reader) fault() fault {
	name := r.text("APP_FAULT", "")
	if !slices.Contains(faultNames, name) {
		r.fail("APP_FAULT", "must be empty or one of %s, not %q", strings.Join(faultNames[1:], ", "), name)
	}
	every := 20
	if name == "slow" {
		every = 5
	}
	return fault{
		name:   name,
		every:  r.number("APP_FAULT_EVERY", every, 1, 1000000),
		delay:  r.duration("APP_FAULT_DELAY", 1500*time.Millisecond),
		after:  r.duration("APP_FAULT_AFTER", 3*time.Second),
		memory: r.number("APP_FAULT_MEMORY_MIB", 1024, 16, 65536),
	}
}

// start begins the faults that end the process by themselves.
func (f fault) start(log *slog.Logger) {
	switch f.name {
	case "crash":
		time.AfterFunc(f.after, func() {
			log.Error("cannot go on: the licence file is damaged", "fault", f.name)
			os.Exit(1)
		})
	case "oom":
		go f.allocate(log)
	}
}

func (f fault) allocate(log *slog.Logger) {
	const step = 8 << 20
	debug.SetGCPercent(-1)
	var held [][]byte
	for range f.memory * (1 << 20) / step {
		block := make([]byte, step)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
		time.Sleep(50 * time.Millisecond)
	}
	log.Error("no memory limit ended this process", "allocated_mib", len(held)*step>>20)
	os.Exit(1)
}

// injector returns a wrapper for the faults that requests see: exactly one of every N of all wrapped routes.
func (f fault) injector() func(http.HandlerFunc) http.HandlerFunc {
	if f.name != "slow" && f.name != "errors" {
		return func(next http.HandlerFunc) http.HandlerFunc { return next }
	}
	var count atomic.Int64
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if count.Add(1)%int64(f.every) != 0 {
				next(w, r)
				return
			}
			if f.name == "errors" {
				writeProblem(w, http.StatusInternalServerError, "injected fault: errors")
				return
			}
			select {
			case <-time.After(f.delay):
				next(w, r)
			case <-r.Context().Done():
			}
		}
	}
}
