package scenario

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/internal/sim/world"
)

// runEcho runs the scenario in a bubble, where no time is lost with waiting.
func runEcho(t *testing.T, seed uint64, transport EchoTransport) (r *report.Report, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, w := world.New(t.Context(), seed, func([]byte) {})
		err = RunEcho(ctx, w, transport, 10*time.Second, 20*time.Second)
		r = w.Report()
		if err != nil {
			// What is left of a broken run ends with its context.
			synctest.Wait()
		}
	})
	return r, err
}

func TestEchoHoldsUnderFaults(t *testing.T) {
	var total report.Report
	for seed := range uint64(5) {
		r, err := runEcho(t, seed, EchoFrames{})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		total.Add(r)
	}
	if total.Commits < 1000 || total.Kills == 0 || total.PowerLosses == 0 || total.NetworkFaults == 0 || total.Unknown == 0 {
		t.Errorf("too little happened: %+v", total)
	}
}

// brokenTransport changes what answer gets or gives.
type brokenTransport struct {
	EchoFrames
	broken func(request []byte, answer func([]byte) []byte) []byte
}

func (b brokenTransport) Serve(l net.Listener, answer func([]byte) []byte) (stop func()) {
	return b.EchoFrames.Serve(l, func(request []byte) []byte { return b.broken(request, answer) })
}

// wantViolation runs the scenario until it finds what is broken.
func wantViolation(t *testing.T, invariant string, broken func([]byte, func([]byte) []byte) []byte) {
	t.Helper()
	_, err := runEcho(t, 3, brokenTransport{broken: broken})
	var violation *report.Violation
	if !errors.As(err, &violation) || violation.Invariant != invariant {
		t.Errorf("the run ended with %v, want a violation of %s", err, invariant)
	}
}

func TestEchoFindsAnAlteredAnswer(t *testing.T) {
	var count atomic.Int64
	wantViolation(t, "EC1", func(request []byte, answer func([]byte) []byte) []byte {
		a := answer(request)
		if count.Add(1) == 20 {
			a[len(a)-1] ^= 1
		}
		return a
	})
}

func TestEchoFindsARepeatedRequest(t *testing.T) {
	var count atomic.Int64
	wantViolation(t, "EC3", func(request []byte, answer func([]byte) []byte) []byte {
		if count.Add(1) == 20 {
			answer(request)
		}
		return answer(request)
	})
}

// deafTransport never connects.
type deafTransport struct{ EchoFrames }

func (deafTransport) Connect(context.Context, func(context.Context, string) (net.Conn, error), string) (EchoConn, error) {
	return nil, errors.New("nobody is there")
}

func TestEchoFindsUsersThatGetNoAnswers(t *testing.T) {
	_, err := runEcho(t, 3, deafTransport{})
	var violation *report.Violation
	if !errors.As(err, &violation) || violation.Invariant != "EC4" {
		t.Errorf("the run ended with %v, want a violation of EC4", err)
	}
}
