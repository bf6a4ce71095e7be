package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// runLoad gives the ledger as it is read from its file.
func runLoad(t *testing.T, url string, arguments ...string) map[string]any {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.json")
	o, err := parseOptions(append([]string{"-target", url, "-ledger", path, "-quiet"}, arguments...), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.run(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func at(document any, path string) any {
	for _, name := range strings.Split(path, ".") {
		document = document.(map[string]any)[name]
	}
	return document
}

func TestLedgerFollowsColours(t *testing.T) {
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		colour := "blue"
		if n := count.Add(1); n > 50 {
			colour = "green"
			if n%10 == 0 {
				w.Header().Set("X-App-Colour", colour)
				w.WriteHeader(http.StatusBadGateway)
				return
			}
		}
		w.Header().Set("X-App-Colour", colour)
		w.Header().Set("X-App-Version", "1.0.0")
	}))
	defer server.Close()
	ready := filepath.Join(t.TempDir(), "ready")
	l := runLoad(t, server.URL, "-fresh-rate", "50", "-keepalive-rate", "50", "-seconds", "2", "-requests", "100", "-ready-file", ready)
	for path, want := range map[string]float64{
		"sent": 100, "ok": 95, "failed": 5, "failed_by.status_5xx": 5, "unanswered": 0, "planned": 100,
		"streams.fresh.sent": 50, "streams.keepalive.sent": 50, "streams.fresh.connections.opened": 50,
		"colours.blue.answers": 50, "colours.green.answers": 50, "colours.green.failed": 5, "versions.1.0.0": 0,
	} {
		if path == "versions.1.0.0" {
			if got := l["versions"].(map[string]any)["1.0.0"].(map[string]any)["answers"]; got != 95.0 {
				t.Errorf("version: %v", got)
			}
			continue
		}
		if got := at(l, path); got != want {
			t.Errorf("%s is %v, not %v", path, got, want)
		}
	}
	if at(l, "colours.blue.last_ms").(float64) > at(l, "colours.green.last_ms").(float64) || len(l["failures"].([]any)) != 5 {
		t.Errorf("colours %v", l["colours"])
	}
	if seconds := l["per_second"].([]any); len(seconds) != 1 || at(seconds[0], "sent") != 100.0 {
		t.Errorf("per second %v", seconds)
	}
	if _, err := os.Stat(ready); err != nil {
		t.Error(err)
	}
}

// A server that stalls must not slow the arrivals, and the stall must show in the latencies.
func TestLatencyCountsFromTheSchedule(t *testing.T) {
	var mu sync.Mutex
	start := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if since := time.Since(start); since > 200*time.Millisecond && since < 600*time.Millisecond {
			time.Sleep(600*time.Millisecond - since)
		}
	}))
	defer server.Close()
	l := runLoad(t, server.URL, "-keepalive-rate", "100", "-seconds", "1", "-connections", "1")
	if l["sent"] != 100.0 || l["failed"] != 0.0 {
		t.Fatalf("sent %v, failed %v", l["sent"], l["failed_by"])
	}
	if p90 := at(l, "latency_ms.p90").(float64); p90 < 200 {
		t.Errorf("p90 is %v ms: the requests that waited for the stall are not in it", p90)
	}
}

func TestSignalStopsEarlyAndKeepsTheLedger(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	ready := filepath.Join(t.TempDir(), "ready")
	go func() {
		for {
			if _, err := os.Stat(ready); err == nil {
				_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	begun := time.Now()
	l := runLoad(t, server.URL, "-fresh-rate", "50", "-seconds", "60", "-ready-file", ready)
	if l["stopped"] != "signal" || l["sent"].(float64) < 1 || l["unanswered"] != 0.0 || time.Since(begun) > 10*time.Second {
		t.Errorf("stopped %v, sent %v after %v", l["stopped"], l["sent"], time.Since(begun))
	}
}

func TestPercentileIsNearestRank(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for percent, want := range map[float64]float64{0: 1, 10: 1, 50: 5, 90: 9, 95: 10, 99: 10, 100: 10} {
		if got := percentile(values, percent); got != want {
			t.Errorf("p%v is %v, not %v", percent, got, want)
		}
	}
}
