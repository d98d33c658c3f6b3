package shell

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/cmd/plinth/internal/fakestore"
	"github.com/plinthdb/plinth/internal/wire"
)

func TestHistoryPrintsTheLastLines(t *testing.T) {
	_, s, out := newSession(t, Config{})
	p := &person{lines: []string{"get a", "history", "history 1", "history -1"}}
	if err := s.Interact(p, func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n    1  get a\n    2  history\n    3  history 1\n", "ERROR: bad number `-1'"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSleepWaitsAndCanBeInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := newSession(t, Config{})
		began := time.Now()
		if err := s.Run(t.Context(), "sleep 1.5"); err != nil || time.Since(began) != 1500*time.Millisecond {
			t.Errorf("slept %v, %v", time.Since(began), err)
		}
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx, "sleep 3600") }()
		synctest.Wait()
		interrupt()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

func TestOptionsHoldForCommandsOutsideOfTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s, out := newSession(t, Config{})
		tries := 0
		store.Fault = func(call fakestore.Call, _ wire.Version) error {
			if call != fakestore.GetValues && call != fakestore.Commit {
				return nil
			}
			tries++
			return wire.ErrNotCommitted
		}
		for _, line := range []string{"get a", "set a 1"} {
			tries = 0
			err := s.Run(t.Context(), "option on retry_limit 2; "+line)
			if !errors.Is(err, wire.ErrNotCommitted) || tries != 3 {
				t.Errorf("%s: tried %d times, %v, printed\n%s", line, tries, err, out)
			}
		}
	})
}
