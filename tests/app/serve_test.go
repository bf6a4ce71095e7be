package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

type running struct {
	address string
	stop    chan struct{}
	ended   chan error
	app     *app
}

func start(t *testing.T, a *app) running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := running{listener.Addr().String(), make(chan struct{}), make(chan error, 1), a}
	go func() { r.ended <- a.serve(listener, r.stop) }()
	return r
}

type line struct {
	net.Conn
	reader *bufio.Reader
}

func dial(t *testing.T, r running) line {
	t.Helper()
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return line{conn, bufio.NewReader(conn)}
}

func (l line) send(t *testing.T, path string) {
	t.Helper()
	if _, err := l.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
}

func (l line) answer(t *testing.T) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(l.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestDrainFinishesOpenWorkAndLetsKeepAliveConnectionsGo(t *testing.T) {
	a, db, output := testApp(func(s *settings, _ *memoryStore) { s.drainDelay = 300 * time.Millisecond })
	db.block = make(chan struct{})
	r := start(t, a)
	idle, busy := dial(t, r), dial(t, r)
	idle.send(t, "/readyz")
	if got := idle.answer(t); got.StatusCode != http.StatusOK || got.Close {
		t.Fatalf("before the drain: %d, close %v", got.StatusCode, got.Close)
	}
	busy.send(t, "/notes")
	for a.metrics.inFlight.Load() == 0 {
		time.Sleep(time.Millisecond)
	}

	close(r.stop)
	for !a.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	idle.send(t, "/readyz")
	if got := idle.answer(t); got.StatusCode != http.StatusServiceUnavailable || !got.Close {
		t.Errorf("while draining: %d, close %v", got.StatusCode, got.Close)
	}
	late := dial(t, r)
	late.send(t, "/healthz")
	if got := late.answer(t); got.StatusCode != http.StatusOK || !got.Close {
		t.Errorf("a request that still came: %d, close %v", got.StatusCode, got.Close)
	}
	time.AfterFunc(400*time.Millisecond, func() { close(db.block) })
	if got := busy.answer(t); got.StatusCode != http.StatusOK {
		t.Errorf("the open request ended with %d", got.StatusCode)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("drain: %v", err)
	}
	if !strings.Contains(output.String(), `"msg":"drained"`) {
		t.Errorf("log: %s", output)
	}
	if _, err := net.Dial("tcp", r.address); err == nil {
		t.Error("still listening")
	}
}

func TestDrainIsBounded(t *testing.T) {
	a, db, output := testApp(func(s *settings, _ *memoryStore) { s.drainDelay, s.drainLimit = 0, 50*time.Millisecond })
	db.block = make(chan struct{})
	defer close(db.block)
	r := start(t, a)
	busy := dial(t, r)
	busy.send(t, "/notes")
	for a.metrics.inFlight.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(r.stop)
	select {
	case err := <-r.ended:
		if err == nil || !strings.Contains(output.String(), `"cut_requests":1`) {
			t.Errorf("%v, log: %s", err, output)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("the drain did not end at its limit")
	}
}
