// Command load sends requests at a constant rate to a loopback address and writes what became of each.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	maxSeconds  = 3600
	maxRate     = 5000
	maxRequests = 2_000_000
)

type options struct {
	target        string
	freshRate     float64
	keepAliveRate float64
	seconds       float64
	requests      int
	connections   int
	timeout       time.Duration
	ledgerPath    string
	readyPath     string
	colourHeader  string
	versionHeader string
	quiet         bool
	messages      []string
}

func parseOptions(arguments []string, messages io.Writer) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.StringVar(&o.target, "target", "", "http://127.0.0.1:`port`; only loopback addresses are accepted")
	flags.Float64Var(&o.freshRate, "fresh-rate", 0, "requests a second, each over a new connection")
	flags.Float64Var(&o.keepAliveRate, "keepalive-rate", 0, "requests a second over connections that stay open")
	flags.Float64Var(&o.seconds, "seconds", 0, "length of the run; required")
	flags.IntVar(&o.requests, "requests", 0, "stop after so many requests over all streams; 0 = what rate and seconds give")
	flags.IntVar(&o.connections, "connections", 32, "keep-alive connections at most")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Second, "for each request, from its scheduled start")
	flags.StringVar(&o.ledgerPath, "ledger", "-", "`file` for the JSON ledger; - is standard output")
	flags.StringVar(&o.readyPath, "ready-file", "", "`file` written once every stream has had a good answer")
	flags.StringVar(&o.colourHeader, "colour-header", "X-App-Colour", "response `header` that tells the colour")
	flags.StringVar(&o.versionHeader, "version-header", "X-App-Version", "response `header` that tells the version")
	flags.BoolVar(&o.quiet, "quiet", false, "no line a second on standard error")
	flags.Func("request", "`\"GET /path\"` or \"POST /path body\"; may be repeated, taken in turn (default GET /)", func(text string) error {
		o.messages = append(o.messages, text)
		return nil
	})
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if len(o.messages) == 0 {
		o.messages = []string{"GET /"}
	}
	total := (o.freshRate + o.keepAliveRate) * o.seconds
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !(o.seconds > 0 && o.seconds <= maxSeconds):
		return o, fmt.Errorf("-seconds must be above 0 and at most %d", maxSeconds)
	case !(o.freshRate >= 0 && o.keepAliveRate >= 0 && o.freshRate+o.keepAliveRate > 0 && o.freshRate+o.keepAliveRate <= maxRate):
		return o, fmt.Errorf("-fresh-rate and -keepalive-rate together must be above 0 and at most %d", maxRate)
	case o.requests < 0 || total > maxRequests && (o.requests == 0 || o.requests > maxRequests):
		return o, fmt.Errorf("more than %d requests: lower the rate, -seconds or -requests", maxRequests)
	case o.connections < 1 || o.connections > 1000:
		return o, errors.New("-connections must be from 1 to 1000")
	case o.timeout <= 0 || o.timeout > time.Minute:
		return o, errors.New("-timeout must be above 0 and at most 1m")
	}
	return o, nil
}

// plan turns the rates into streams; a limit on requests is shared in proportion to the rates.
func (o options) plan(address target, messages []message) []stream {
	planned := []stream{}
	for _, s := range []stream{
		{name: "fresh", rate: o.freshRate, send: (*client).fresh},
		{name: "keepalive", rate: o.keepAliveRate, send: (*client).reuse},
	} {
		if s.rate == 0 {
			continue
		}
		s.messages = messages
		s.client = newClient(address, o.colourHeader, o.versionHeader, o.connections)
		s.count = int(s.rate * o.seconds)
		if o.requests > 0 {
			s.count = min(s.count, int(float64(o.requests)*s.rate/(o.freshRate+o.keepAliveRate)))
		}
		planned = append(planned, s)
	}
	return planned
}

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err == nil {
		err = o.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
}

func (o options) run() error {
	address, err := parseTarget(o.target)
	if err != nil {
		return err
	}
	messages := []message{}
	for _, text := range o.messages {
		m, err := parseMessage(text, address.host)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()

	streams, start := o.plan(address, messages), time.Now()
	l := newLedger(address.address, start, streams)
	finished := make(chan struct{})
	var background, running sync.WaitGroup
	background.Go(func() { o.watch(l, start, finished) })
	for _, s := range streams {
		running.Go(func() { s.run(stop, start, o.timeout, l.sent, l.record) })
	}
	running.Wait()
	close(finished)
	background.Wait()
	for _, s := range streams {
		s.client.close()
	}
	stopped := "finished"
	if stop.Err() != nil {
		stopped = "signal"
	}
	l.finish(time.Since(start), stopped, streams)
	return o.save(l)
}

// watch prints a line a second and writes the ready file.
func (o options) watch(l *ledger, start time.Time, finished <-chan struct{}) {
	look, line := time.NewTicker(20*time.Millisecond), time.NewTicker(time.Second)
	defer look.Stop()
	defer line.Stop()
	ready := o.readyPath == ""
	for {
		select {
		case <-finished:
			return
		case <-look.C:
			if !ready && l.flowing() {
				ready = true
				if err := writeFile(o.readyPath, []byte(time.Now().UTC().Format(time.RFC3339Nano)+"\n")); err != nil {
					fmt.Fprintln(os.Stderr, "load: cannot write the ready file:", err)
				}
			}
		case <-line.C:
			if !o.quiet {
				fmt.Fprintln(os.Stderr, l.line(time.Since(start)))
			}
		}
	}
}

// line sums up the run and names the colours that answered in the last full second.
func (l *ledger) line(elapsed time.Duration) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("%4.0f s  sent %d  ok %d  failed %d", elapsed.Seconds(), l.Sent, l.OK, l.Failed)
	for _, kind := range slices.Sorted(maps.Keys(l.FailedBy)) {
		if l.FailedBy[kind] > 0 {
			text += fmt.Sprintf("  %s %d", kind, l.FailedBy[kind])
		}
	}
	if last := int(elapsed/time.Second) - 1; last >= 0 && last < len(l.PerSecond) {
		colours := []string{}
		for _, colour := range slices.Sorted(maps.Keys(l.PerSecond[last].Colours)) {
			colours = append(colours, fmt.Sprintf("%s %d", colour, l.PerSecond[last].Colours[colour].Answers))
		}
		text += "  now: " + strings.Join(colours, ", ")
	}
	return text
}

func (o options) save(l *ledger) error {
	content, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return err
	}
	content = append(content, '\n')
	if o.ledgerPath == "-" {
		_, err = os.Stdout.Write(content)
		return err
	}
	return writeFile(o.ledgerPath, content)
}

// writeFile replaces the file at once, so that a reader never sees half of it.
func writeFile(path string, content []byte) error {
	partial, err := os.CreateTemp(filepath.Dir(path), ".load-")
	if err != nil {
		return err
	}
	defer os.Remove(partial.Name())
	if _, err := partial.Write(content); err != nil {
		partial.Close()
		return err
	}
	if err := errors.Join(partial.Chmod(0o644), partial.Close()); err != nil {
		return err
	}
	return os.Rename(partial.Name(), path)
}
