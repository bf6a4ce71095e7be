package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// serve answers on the listener until stop is closed, then drains: not ready first, then "Connection: close" on
// every answer for drainDelay (the time routes need to leave this process), then no new connections and at most
// drainLimit for the open requests.
func (a *app) serve(listener net.Listener, stop <-chan struct{}) error {
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	a.log.Info("serving", "address", listener.Addr().String(), "version", a.settings.version, "colour", a.settings.colour)
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	a.draining.Store(true)
	a.log.Info("draining", "delay", a.settings.drainDelay.String(), "limit", a.settings.drainLimit.String())
	select {
	case err := <-failed:
		return err
	case <-time.After(a.settings.drainDelay):
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.settings.drainLimit)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		open := a.metrics.inFlight.Load()
		a.log.Error("drain limit reached", "cut_requests", open)
		return errors.Join(err, server.Close())
	}
	a.log.Info("drained")
	return nil
}
