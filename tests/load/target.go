package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// target is a checked address: always loopback, always plain HTTP.
type target struct {
	address string // host:port to dial; never a name, so that no resolver can lead elsewhere
	host    string // Host header
}

// parseTarget refuses everything that is not http on a loopback address.
func parseTarget(text string) (target, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return target{}, err
	}
	if parsed.Scheme != "http" || parsed.Hostname() == "" || parsed.User != nil {
		return target{}, fmt.Errorf("target %q: use http://127.0.0.1:<port>", text)
	}
	name := parsed.Hostname()
	if name == "localhost" {
		name = "127.0.0.1"
	}
	address, err := netip.ParseAddr(name)
	if err != nil || !address.IsLoopback() {
		return target{}, fmt.Errorf("target %q is not a loopback address: load goes to this machine only", text)
	}
	port := parsed.Port()
	if port == "" {
		port = "80"
	}
	return target{address: net.JoinHostPort(address.String(), port), host: parsed.Host}, nil
}

// message is one prepared request; the bytes differ only in the Connection header.
type message struct {
	method           string
	fresh, keepAlive []byte
}

// parseMessage reads `GET /path` or `POST /path body`.
func parseMessage(text, host string) (message, error) {
	parts := strings.SplitN(text, " ", 3)
	if len(parts) < 2 || !strings.HasPrefix(parts[1], "/") || strings.ContainsAny(parts[0]+parts[1], "\r\n") {
		return message{}, fmt.Errorf("request %q: use \"GET /path\" or \"POST /path body\"", text)
	}
	body := ""
	if len(parts) == 3 {
		body = parts[2]
	}
	made := message{method: parts[0]}
	for _, connection := range []string{"close", "keep-alive"} {
		var raw bytes.Buffer
		fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: golive-load\r\nConnection: %s\r\n",
			parts[0], parts[1], host, connection)
		if body != "" {
			fmt.Fprintf(&raw, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
		}
		raw.WriteString("\r\n" + body)
		if _, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw.Bytes()))); err != nil {
			return message{}, fmt.Errorf("request %q: %w", text, err)
		}
		if connection == "close" {
			made.fresh = raw.Bytes()
		} else {
			made.keepAlive = raw.Bytes()
		}
	}
	return made, nil
}
