package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// Kinds of failure, the keys of `failed_by` in the ledger.
const (
	refused   = "refused"
	reset     = "reset"
	timedOut  = "timeout"
	status4xx = "status_4xx"
	status5xx = "status_5xx"
	other     = "other"
)

// answer is what came back, or why nothing did. kind is empty for a good answer.
type answer struct {
	kind, detail    string
	status          int
	colour, version string
}

// connections tells what became of the connections of one stream.
type connections struct {
	Opened     int64 `json:"opened"`
	CloseAsked int64 `json:"closed_on_request"` // after an answer with `Connection: close`
	ClosedIdle int64 `json:"closed_while_idle"` // found closed before use, as any client would notice
	Broken     int64 `json:"broken"`
}

// client sends requests over its own connections, so that no library repeats a failed one unseen.
type client struct {
	target        target
	colourHeader  string
	versionHeader string
	// slots holds one entry for each keep-alive connection there may be: an idle one, or nil for one to open. Its
	// order opens all of them first and then takes them in turn, so that every connection stays in use.
	slots chan *connection

	mu    sync.Mutex
	state connections
}

func newClient(to target, colourHeader, versionHeader string, limit int) *client {
	c := &client{target: to, colourHeader: colourHeader, versionHeader: versionHeader, slots: make(chan *connection, limit)}
	for range limit {
		c.slots <- nil
	}
	return c
}

type connection struct {
	net.Conn
	reader *bufio.Reader
}

func (c *client) dial(ctx context.Context) (*connection, error) {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.target.address)
	if err != nil {
		return nil, err
	}
	c.note(&c.state.Opened)
	return &connection{raw, bufio.NewReaderSize(raw, 4096)}, nil
}

// fresh opens a connection for one request. Closing waits for the server, which so keeps the TIME_WAIT state.
func (c *client) fresh(ctx context.Context, m message, done func(answer)) {
	conn, err := c.dial(ctx)
	if err != nil {
		done(failure(err))
		return
	}
	defer conn.Close()
	got, _, err := c.exchange(ctx, conn, m.method, m.fresh)
	done(got)
	if err != nil {
		c.note(&c.state.Broken)
	} else {
		// Only the end of the stream is of interest here, and a second bounds it.
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = conn.reader.ReadByte()
	}
}

// reuse sends over a connection that stays open as long as the server wants it.
func (c *client) reuse(ctx context.Context, m message, done func(answer)) {
	var conn *connection
	select {
	case conn = <-c.slots:
	case <-ctx.Done():
		done(failure(fmt.Errorf("no free connection: %w", os.ErrDeadlineExceeded)))
		return
	}
	if conn != nil && !alive(conn) {
		c.note(&c.state.ClosedIdle)
		conn.Close()
		conn = nil
	}
	if conn == nil {
		var err error
		if conn, err = c.dial(ctx); err != nil {
			c.slots <- nil
			done(failure(err))
			return
		}
	}
	got, last, err := c.exchange(ctx, conn, m.method, m.keepAlive)
	if err != nil {
		c.note(&c.state.Broken)
	} else if last {
		c.note(&c.state.CloseAsked)
	}
	if last {
		conn.Close()
		conn = nil
	}
	c.slots <- conn
	done(got)
}

func (c *client) note(counter *int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*counter++
}

func (c *client) connections() connections {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// close ends the idle connections; it is called when no request is open.
func (c *client) close() {
	for range cap(c.slots) {
		if conn := <-c.slots; conn != nil {
			conn.Close()
		}
	}
}

// alive looks, without waiting, whether the server closed the connection.
func alive(conn *connection) bool {
	raw, err := conn.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Read(func(descriptor uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(descriptor), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		open = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && open
}

// exchange returns the answer, whether the server will close, and the transport error when there was one.
func (c *client) exchange(ctx context.Context, conn *connection, method string, raw []byte) (answer, bool, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return failure(err), true, err
		}
	}
	if _, err := conn.Write(raw); err != nil {
		return failure(err), true, err
	}
	response, err := http.ReadResponse(conn.reader, &http.Request{Method: method})
	if err != nil {
		return failure(err), true, err
	}
	got := answer{
		status: response.StatusCode, colour: response.Header.Get(c.colourHeader), version: response.Header.Get(c.versionHeader),
	}
	_, err = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if err != nil {
		broken := failure(err)
		broken.status, broken.colour, broken.version = got.status, got.colour, got.version
		return broken, true, err
	}
	switch {
	case got.status >= 500:
		got.kind = status5xx
	case got.status >= 400:
		got.kind = status4xx
	case got.status < 200:
		got.kind = other
	}
	return got, response.Close, nil
}

func failure(err error) answer {
	kind := other
	var network net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		kind = refused
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		kind = reset
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		kind = timedOut
	}
	return answer{kind: kind, detail: err.Error()}
}
