package main

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func clientFor(address string, limit int) *client {
	return newClient(target{address: address, host: address}, "X-App-Colour", "X-App-Version", limit)
}

type send func(c *client, ctx context.Context, m message, done func(answer))

func once(t *testing.T, c *client, how send) answer {
	t.Helper()
	m, err := parseMessage("GET /", c.target.host)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	var got answer
	how(c, ctx, m, func(a answer) { got = a })
	return got
}

// rawServer hands each connection with a complete request to handle.
func rawServer(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					handle(conn)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func TestFailuresAreNamed(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	reply := func(text string) func(net.Conn) {
		return func(conn net.Conn) { _, _ = conn.Write([]byte(text)) }
	}
	for name, test := range map[string]struct {
		address, kind string
		status        int
	}{
		"refused":     {closed.Addr().String(), refused, 0},
		"closed":      {rawServer(t, func(net.Conn) {}), reset, 0},
		"reset":       {rawServer(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), reset, 0},
		"half answer": {rawServer(t, reply("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")), reset, 200},
		"timeout":     {rawServer(t, func(net.Conn) { time.Sleep(time.Second) }), timedOut, 0},
		"500":         {rawServer(t, reply("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")), status5xx, 503},
		"404":         {rawServer(t, reply("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")), status4xx, 404},
		"not HTTP":    {rawServer(t, reply("SSH-2.0-x\r\n\r\n")), other, 0},
		"good":        {rawServer(t, reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-App-Colour: blue\r\n\r\nok")), "", 200},
	} {
		for way, how := range map[string]send{"fresh": (*client).fresh, "keepalive": (*client).reuse} {
			got := once(t, clientFor(test.address, 1), how)
			if got.kind != test.kind || got.status != test.status {
				t.Errorf("%s over %s: %+v", name, way, got)
			}
		}
	}
}

func TestKeepAliveReusesAndRespectsClose(t *testing.T) {
	var connections, requests atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 5 {
			w.Header().Set("Connection", "close")
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := clientFor(strings.TrimPrefix(server.URL, "http://"), 2)
	for range 10 {
		if got := once(t, c, (*client).reuse); got.kind != "" {
			t.Fatal(got)
		}
	}
	if connections.Load() != 3 || c.connections() != (connectionsOf(3, 1, 0, 0)) {
		t.Errorf("%d connections, %+v", connections.Load(), c.connections())
	}
}

func connectionsOf(opened, asked, idle, broken int64) connections {
	return connections{Opened: opened, CloseAsked: asked, ClosedIdle: idle, Broken: broken}
}

func TestAConnectionClosedWhileIdleIsNoFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c := clientFor(strings.TrimPrefix(server.URL, "http://"), 1)
	once(t, c, (*client).reuse)
	server.CloseClientConnections()
	conn := <-c.slots
	for alive(conn) {
		time.Sleep(time.Millisecond)
	}
	c.slots <- conn
	if got := once(t, c, (*client).reuse); got.kind != "" || c.connections() != connectionsOf(2, 0, 1, 0) {
		t.Errorf("%+v %+v", got, c.connections())
	}
}

func TestAFailedRequestIsNeverRepeated(t *testing.T) {
	var requests atomic.Int64
	c := clientFor(rawServer(t, func(net.Conn) { requests.Add(1) }), 1)
	for range 3 {
		if got := once(t, c, (*client).reuse); got.kind != reset {
			t.Fatal(got)
		}
	}
	if requests.Load() != 3 {
		t.Errorf("%d requests reached the server", requests.Load())
	}
}

// Many requests wait for few connections: none may be forgotten.
func TestWaitingRequestsAllGetTheirTurn(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) }))
	defer server.Close()
	c := clientFor(strings.TrimPrefix(server.URL, "http://"), 3)
	m, err := parseMessage("GET /", "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var open sync.WaitGroup
	var good atomic.Int64
	for range 300 {
		open.Go(func() {
			c.reuse(ctx, m, func(a answer) {
				if a.kind == "" {
					good.Add(1)
				}
			})
		})
	}
	open.Wait()
	if good.Load() != 300 || c.connections() != connectionsOf(3, 0, 0, 0) {
		t.Errorf("%d good answers, %+v", good.Load(), c.connections())
	}
}

func TestNoFreeConnectionIsATimeout(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	c := clientFor(strings.TrimPrefix(server.URL, "http://"), 1)
	first := make(chan answer, 1)
	go func() { first <- once(t, c, (*client).reuse) }()
	time.Sleep(20 * time.Millisecond)
	if got := once(t, c, (*client).reuse); got.kind != timedOut {
		t.Errorf("%+v", got)
	}
	if got := <-first; got.kind != timedOut {
		t.Errorf("%+v", got)
	}
}
