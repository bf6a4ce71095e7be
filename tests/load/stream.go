package main

import (
	"context"
	"sync"
	"time"
)

// stream is one constant arrival rate over one kind of connection.
type stream struct {
	name     string
	rate     float64 // requests a second
	count    int     // requests at most
	messages []message
	client   *client
	send     func(c *client, ctx context.Context, m message, done func(answer))
}

// result is one request: times are offsets from the common start.
type result struct {
	stream    string
	scheduled time.Duration
	late      time.Duration // sent after its schedule
	answered  time.Duration
	answer    answer
}

// run fires each request at its scheduled time, however slow the answers are, and waits for the last answer.
func (s stream) run(stop context.Context, start time.Time, timeout time.Duration, sent, record func(result)) {
	var open sync.WaitGroup
	defer open.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for i := range s.count {
		scheduled := time.Duration(float64(i) / s.rate * float64(time.Second))
		if wait := scheduled - time.Since(start); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-stop.Done():
				return
			}
		} else if stop.Err() != nil {
			return
		}
		late := time.Since(start) - scheduled
		sent(result{stream: s.name, scheduled: scheduled, late: late})
		open.Go(func() {
			ctx, cancel := context.WithDeadline(context.Background(), start.Add(scheduled+timeout))
			defer cancel()
			s.send(s.client, ctx, s.messages[i%len(s.messages)], func(a answer) {
				record(result{s.name, scheduled, late, time.Since(start), a})
			})
		})
	}
}
