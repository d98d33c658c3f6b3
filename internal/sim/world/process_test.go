package world

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
	"github.com/plinthdb/plinth/kv"
)

// fakeStore ends when it is told to.
type fakeStore struct {
	fs     vfs.FS
	ended  chan struct{}
	closed chan struct{}
	err    error
	// closing, if not nil, is called first when the store is closed.
	closing func()
}

func (s *fakeStore) Close() error {
	if s.closing != nil {
		s.closing()
	}
	close(s.closed)
	return nil
}

func (s *fakeStore) Ended() <-chan struct{} { return s.ended }
func (s *fakeStore) Err() error             { return s.err }

// fakeProcess is a process whose stores do nothing.
type fakeProcess struct {
	*Process
	disk   *disk.Disk
	opened []*fakeStore
	// during is called while a store opens.
	during func() error
}

func newFakeProcess(t *testing.T) (*World, *fakeProcess) {
	t.Helper()
	_, w := New(t.Context(), 1, func([]byte) {})
	f := &fakeProcess{disk: disk.New(disk.Config{}, w.Rand("disk"), w.TraceLine), during: func() error { return nil }}
	f.Process = w.NewProcess("p", f.disk, Driver{Check: func(_ context.Context, h Host, at []kv.Version) (States, error) {
		if err := f.during(); err != nil {
			return States{}, err
		}
		_, err := h.FS.Create("/checked", vfs.WriteCategoryUnspecified)
		return States{End: fmt.Sprint(at)}, err
	}, Open: func(h Host) (*kv.Database, Store, error) {
		if err := f.during(); err != nil {
			return nil, nil, err
		}
		s := &fakeStore{fs: h.FS, ended: make(chan struct{}), closed: make(chan struct{})}
		f.opened = append(f.opened, s)
		return kv.NewDatabase(nil), s, nil
	}})
	return w, f
}

func (f *fakeProcess) mustBoot(t *testing.T) *Incarnation {
	t.Helper()
	if err := f.Boot(); err != nil {
		t.Fatal(err)
	}
	inc, err := f.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

func TestKilledProcessIsCutOffAndClosed(t *testing.T) {
	w, f := newFakeProcess(t)
	first := f.mustBoot(t)
	if err := f.Boot(); err == nil {
		t.Error("W3: a running process booted again")
	}
	f.Kill()
	if !first.Dead() || !errors.Is(context.Cause(first.Context()), ErrKilled) {
		t.Errorf("W1: the incarnation lives: %v", context.Cause(first.Context()))
	}
	if _, err := f.opened[0].fs.Create("/x", vfs.WriteCategoryUnspecified); !errors.Is(err, disk.ErrDead) {
		t.Errorf("W1: the dead process wrote: %v", err)
	}
	f.AwaitBurials()
	<-f.opened[0].closed
	second := f.mustBoot(t)
	if second == first || second.Number() != 2 || second.Dead() {
		t.Errorf("second boot gave incarnation %d, dead: %v", second.Number(), second.Dead())
	}
	if r := w.Report(); r.Boots != 2 || r.Kills != 1 {
		t.Errorf("report %+v, want two boots and a kill", r)
	}
}

func TestProcessDiesOfTheEndOfItsStore(t *testing.T) {
	_, f := newFakeProcess(t)
	inc := f.mustBoot(t)
	cause := errors.New("the disk is on fire")
	f.opened[0].err = cause
	close(f.opened[0].ended)
	<-inc.Context().Done()
	if got := context.Cause(inc.Context()); !errors.Is(got, cause) {
		t.Errorf("cause of death %v, want %v", got, cause)
	}
	if err := f.WaitDead(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.AwaitBurials()
}

func TestProcessCanBeKilledWhileItOpens(t *testing.T) {
	_, f := newFakeProcess(t)
	f.during = func() error { f.PowerLoss(); return nil }
	if err := f.Boot(); !errors.Is(err, ErrKilled) {
		t.Errorf("Boot = %v, want %v", err, ErrKilled)
	}
	f.AwaitBurials()
	<-f.opened[0].closed
	failure := errors.New("no such file")
	f.during = func() error { return failure }
	if err := f.Boot(); !errors.Is(err, failure) || errors.Is(err, ErrKilled) {
		t.Errorf("Boot = %v, want %v alone", err, failure)
	}
	f.during = func() error { return nil }
	f.mustBoot(t)
}

// TestAnOpeningThatALossOfPowerHasCutOffCountsAsKilled: the disk is cut off
// first, so the store may have failed before the process is told.
func TestAnOpeningThatALossOfPowerHasCutOffCountsAsKilled(t *testing.T) {
	_, f := newFakeProcess(t)
	f.during = func() error { f.disk.PowerLoss(); return disk.ErrDead }
	if err := f.Boot(); !errors.Is(err, ErrKilled) {
		t.Errorf("Boot = %v, want %v", err, ErrKilled)
	}
	f.during = func() error { return nil }
	f.mustBoot(t)
}

func TestShutdownIsNotADeath(t *testing.T) {
	w, f := newFakeProcess(t)
	f.mustBoot(t)
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-f.opened[0].closed
	if err := f.Shutdown(t.Context()); err == nil {
		t.Error("a process was shut down twice")
	}
	if r := w.Report(); r.Kills != 0 {
		t.Errorf("%d kills counted", r.Kills)
	}
}

func TestFirstViolationEndsTheRunAndIsTheOneReported(t *testing.T) {
	ctx, w := New(t.Context(), 1, func([]byte) {})
	first := w.Violated("A", "A1", "number %d", 1)
	_ = w.Violated("B", "B1", "number %d", 2)
	var violation *report.Violation
	if !errors.As(first, &violation) || w.Violation() != violation || w.Report().Violation != violation {
		t.Errorf("W4: reported %v, first was %v", w.Violation(), first)
	}
	if context.Cause(ctx) != first {
		t.Errorf("the run ended with %v", context.Cause(ctx))
	}
}

func TestStreamsOfChanceDependOnSeedAndNameOnly(t *testing.T) {
	_, w := New(t.Context(), 1, func([]byte) {})
	_, other := New(t.Context(), 2, func([]byte) {})
	want := w.Rand("a").Uint64()
	w.Rand("b").Uint64()
	if got := w.Rand("a").Uint64(); got != want {
		t.Error("W5: a stream depends on another")
	}
	if w.Rand("b").Uint64() == want || other.Rand("a").Uint64() == want {
		t.Error("two streams are the same")
	}
}

func TestCheckOfADeadProcessDoesNotBlameALossOfPower(t *testing.T) {
	_, f := newFakeProcess(t)
	if states, err := f.Check(t.Context(), 7, 8); err != nil || states.End != "[7 8]" {
		t.Errorf("check: %+v, %v", states, err)
	}
	failure := errors.New("a file is damaged")
	f.during = func() error { return failure }
	if _, err := f.Check(t.Context()); !errors.Is(err, failure) {
		t.Errorf("check: %v, want %v", err, failure)
	}
	f.during = func() error { f.PowerLoss(); return nil }
	if states, err := f.Check(t.Context()); err != nil || states.End != "" {
		t.Errorf("check during a loss of power: %+v, %v", states, err)
	}
}
