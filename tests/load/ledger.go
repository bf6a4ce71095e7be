package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

const maxFailures = 100 // described one by one; all are counted

// tally counts the answers of one colour or version. Times are milliseconds since start.
type tally struct {
	Answers int     `json:"answers"`
	OK      int     `json:"ok"`
	Failed  int     `json:"failed"`
	First   float64 `json:"first_ms"`
	Last    float64 `json:"last_ms"`
}

// latency has milliseconds from the scheduled start to the end of the answer, of good answers only.
type latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// counts is the same shape for the whole run, for one stream and for one second.
type counts struct {
	Sent     int               `json:"sent"`
	OK       int               `json:"ok"`
	Failed   int               `json:"failed"`
	FailedBy map[string]int    `json:"failed_by"`
	Colours  map[string]*tally `json:"colours"`
	Versions map[string]*tally `json:"versions"`
	Latency  latency           `json:"latency_ms"`
	times    []float64
}

func newCounts() *counts {
	return &counts{
		FailedBy: map[string]int{refused: 0, reset: 0, timedOut: 0, status4xx: 0, status5xx: 0, other: 0},
		Colours:  map[string]*tally{}, Versions: map[string]*tally{},
	}
}

func (c *counts) add(r result) {
	if r.answer.kind == "" {
		c.OK++
		c.times = append(c.times, milliseconds(r.answered-r.scheduled))
	} else {
		c.Failed++
		c.FailedBy[r.answer.kind]++
	}
	if r.answer.status != 0 {
		addTally(c.Colours, r.answer.colour, r)
		addTally(c.Versions, r.answer.version, r)
	}
}

func addTally(tallies map[string]*tally, name string, r result) {
	if name == "" {
		return
	}
	at := milliseconds(r.answered)
	t := tallies[name]
	if t == nil {
		t = &tally{First: at}
		tallies[name] = t
	}
	t.Answers++
	t.First, t.Last = min(t.First, at), max(t.Last, at)
	if r.answer.kind == "" {
		t.OK++
	} else {
		t.Failed++
	}
}

func (c *counts) finish() {
	if len(c.times) == 0 {
		return
	}
	slices.Sort(c.times)
	c.Latency = latency{
		percentile(c.times, 50), percentile(c.times, 90), percentile(c.times, 95), percentile(c.times, 99), c.times[len(c.times)-1],
	}
}

// percentile is the nearest rank of sorted values.
func percentile(sorted []float64, percent float64) float64 {
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

type failedRequest struct {
	At      float64 `json:"at_ms"` // scheduled
	Took    float64 `json:"took_ms"`
	Stream  string  `json:"stream"`
	Kind    string  `json:"kind"`
	Status  int     `json:"status,omitempty"`
	Colour  string  `json:"colour,omitempty"`
	Version string  `json:"version,omitempty"`
	Detail  string  `json:"detail,omitempty"`
}

type second struct {
	Second int `json:"second"` // by scheduled time
	*counts
}

type streamLedger struct {
	Rate        float64     `json:"rate"`
	Planned     int         `json:"planned"`
	LateP99     float64     `json:"late_p99_ms"`
	LateMax     float64     `json:"late_max_ms"`
	Connections connections `json:"connections"`
	*counts
	late []float64
}

// ledger is the JSON document of a run.
type ledger struct {
	Target  string  `json:"target"`
	Started string  `json:"started_at"`
	Seconds float64 `json:"seconds"`
	Stopped string  `json:"stopped"` // finished or signal
	Planned int     `json:"planned"`
	Unknown int     `json:"unanswered"` // sent without a result; 0 unless the tool itself is wrong
	*counts
	Streams   map[string]*streamLedger `json:"streams"`
	PerSecond []second                 `json:"per_second"`
	Failures  []failedRequest          `json:"failures"` // the first of them

	mu sync.Mutex
}

func newLedger(address string, start time.Time, streams []stream) *ledger {
	l := &ledger{
		Target: address, Started: start.UTC().Format(time.RFC3339Nano), counts: newCounts(),
		Streams: map[string]*streamLedger{}, PerSecond: []second{}, Failures: []failedRequest{},
	}
	for _, s := range streams {
		l.Planned += s.count
		l.Streams[s.name] = &streamLedger{Rate: s.rate, Planned: s.count, counts: newCounts()}
	}
	return l
}

func (l *ledger) second(at time.Duration) *counts {
	for len(l.PerSecond) <= int(at/time.Second) {
		l.PerSecond = append(l.PerSecond, second{len(l.PerSecond), newCounts()})
	}
	return l.PerSecond[int(at/time.Second)].counts
}

func (l *ledger) sent(r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []*counts{l.counts, l.Streams[r.stream].counts, l.second(r.scheduled)} {
		c.Sent++
	}
	l.Streams[r.stream].late = append(l.Streams[r.stream].late, milliseconds(r.late))
}

func (l *ledger) record(r result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range []*counts{l.counts, l.Streams[r.stream].counts, l.second(r.scheduled)} {
		c.add(r)
	}
	if a := r.answer; a.kind != "" && len(l.Failures) < maxFailures {
		l.Failures = append(l.Failures, failedRequest{
			milliseconds(r.scheduled), milliseconds(r.answered - r.scheduled), r.stream, a.kind, a.status, a.colour, a.version, a.detail,
		})
	}
}

// flowing is true when every stream has had a good answer.
func (l *ledger) flowing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.Streams {
		if s.OK == 0 {
			return false
		}
	}
	return true
}

func (l *ledger) finish(elapsed time.Duration, stopped string, streams []stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Seconds, l.Stopped = milliseconds(elapsed)/1000, stopped
	l.Unknown = l.Sent - l.OK - l.Failed
	l.counts.finish()
	for _, s := range l.Streams {
		s.counts.finish()
		if len(s.late) > 0 {
			slices.Sort(s.late)
			s.LateP99, s.LateMax = percentile(s.late, 99), s.late[len(s.late)-1]
		}
	}
	for _, s := range l.PerSecond {
		s.counts.finish()
	}
	for _, s := range streams {
		l.Streams[s.name].Connections = s.client.connections()
	}
}
