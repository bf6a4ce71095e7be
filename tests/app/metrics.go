package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var bucketBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

type requestKey struct{ method, route, code string }

type histogram struct {
	buckets []uint64
	count   uint64
	sum     float64
}

// metrics counts application requests (not probes, not scrapes) and writes the Prometheus text format 0.0.4.
type metrics struct {
	version, colour string
	started         time.Time
	inFlight        atomic.Int64
	mu              sync.Mutex
	requests        map[requestKey]uint64
	latency         map[string]*histogram
}

func newMetrics(version, colour string) *metrics {
	return &metrics{
		version: version, colour: colour, started: time.Now(),
		requests: map[requestKey]uint64{}, latency: map[string]*histogram{},
	}
}

func (m *metrics) observe(method, route string, code int, seconds float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[requestKey{method, route, strconv.Itoa(code)}]++
	h := m.latency[route]
	if h == nil {
		h = &histogram{buckets: make([]uint64, len(bucketBounds))}
		m.latency[route] = h
	}
	if i, _ := slices.BinarySearch(bucketBounds, seconds); i < len(bucketBounds) {
		h.buckets[i]++
	}
	h.count++
	h.sum += seconds
}

// statusRecorder remembers the code a handler answered with.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (s *statusRecorder) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (m *metrics) write(w io.Writer, pool poolState, ready bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	family := func(name, kind, help string) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	}
	family("app_info", "gauge", "Version and colour of this process.")
	fmt.Fprintf(w, "app_info{version=%q,colour=%q} 1\n", m.version, m.colour)
	family("app_ready", "gauge", "1 when this process reports ready, as of the last probe.")
	fmt.Fprintf(w, "app_ready %d\n", map[bool]int{true: 1}[ready])
	family("process_start_time_seconds", "gauge", "Unix time of the start of this process.")
	fmt.Fprintf(w, "process_start_time_seconds %.3f\n", float64(m.started.UnixMilli())/1000)
	family("http_requests_in_flight", "gauge", "Requests being served.")
	fmt.Fprintf(w, "http_requests_in_flight %d\n", m.inFlight.Load())
	family("db_pool_connections", "gauge", "Connections of the database pool.")
	fmt.Fprintf(w, "db_pool_connections{state=\"used\"} %d\ndb_pool_connections{state=\"idle\"} %d\n", pool.used, pool.idle)
	family("db_pool_connections_max", "gauge", "Upper limit of the database pool.")
	fmt.Fprintf(w, "db_pool_connections_max %d\n", pool.max)
	family("http_requests_total", "counter", "Requests answered, by code.")
	for _, key := range sortedKeys(m.requests, func(k requestKey) string { return k.route + k.method + k.code }) {
		fmt.Fprintf(w, "http_requests_total{code=%q,method=%q,route=%q} %d\n", key.code, key.method, key.route, m.requests[key])
	}
	family("http_request_duration_seconds", "histogram", "Time to answer a request.")
	for _, route := range sortedKeys(m.latency, func(k string) string { return k }) {
		h, total := m.latency[route], uint64(0)
		for i, bound := range bucketBounds {
			total += h.buckets[i]
			fmt.Fprintf(w, "http_request_duration_seconds_bucket{route=%q,le=\"%g\"} %d\n", route, bound, total)
		}
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{route=%q,le=\"+Inf\"} %d\n", route, h.count)
		fmt.Fprintf(w, "http_request_duration_seconds_sum{route=%q} %g\n", route, h.sum)
		fmt.Fprintf(w, "http_request_duration_seconds_count{route=%q} %d\n", route, h.count)
	}
}

func sortedKeys[K comparable, V any](entries map[K]V, text func(K) string) []K {
	keys := make([]K, 0, len(entries))
	for key := range entries {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b K) int {
		if text(a) < text(b) {
			return -1
		}
		return 1
	})
	return keys
}
