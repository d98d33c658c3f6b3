package world

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/sim/disk"
	"github.com/plinthdb/plinth/internal/sim/report"
)

func TestAProcessBootsOnlyWhenNothingOfTheDeadOneIsLeft(t *testing.T) {
	_, f := newFakeProcess(t)
	var events struct {
		sync.Mutex
		list []string
	}
	note := func(event string) {
		events.Lock()
		defer events.Unlock()
		events.list = append(events.list, event)
	}
	release, left := make(chan struct{}), make(chan struct{})
	f.during = func() error {
		note("opening")
		// A goroutine of the store that outlives its Close for a while.
		go func() {
			<-release
			note("left")
			close(left)
		}()
		return nil
	}
	f.mustBoot(t)
	f.opened[0].closing = func() { note("closing") }
	f.during = func() error { note("opening"); return nil }
	f.Kill()
	booted := make(chan error)
	go func() { booted <- f.Boot() }()
	<-f.opened[0].closed
	close(release)
	if err := <-booted; err != nil {
		t.Fatal(err)
	}
	<-left
	if want := []string{"opening", "closing", "left", "opening"}; !slices.Equal(events.list, want) {
		t.Errorf("W2: the order was %v, want %v", events.list, want)
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestGoroutinesThatADeadProcessLeavesBehindAreAViolation(t *testing.T) {
	for name, end := range map[string]func(*fakeProcess){
		"killed":     func(f *fakeProcess) { f.Kill(); f.AwaitBurials() },
		"power lost": func(f *fakeProcess) { f.PowerLoss(); f.AwaitBurials() },
		"closed":     func(f *fakeProcess) { _ = f.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, f := newFakeProcess(t)
				release := make(chan struct{})
				f.during = func() error { go func() { <-release }(); return nil }
				f.mustBoot(t)
				end(f)
				if v := w.Violation(); v == nil || v.Invariant != "W2" {
					t.Errorf("violation %v, want one of W2", v)
				}
				close(release)
			})
		})
	}
}

func TestGoroutinesOfAnOpeningThatFailedAreAViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, f := newFakeProcess(t)
		release := make(chan struct{})
		f.during = func() error { go func() { <-release }(); return errors.New("no") }
		if err := f.Boot(); err == nil {
			t.Error("a store that does not open was opened")
		}
		f.AwaitBurials()
		if v := w.Violation(); v == nil || v.Invariant != "W2" {
			t.Errorf("violation %v, want one of W2", v)
		}
		close(release)
	})
}

func TestALostDiskIsFoundEmpty(t *testing.T) {
	w, f := newFakeProcess(t)
	inc := f.mustBoot(t)
	fs := f.opened[0].fs
	if _, err := fs.Create("/x", vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	f.LoseDisk()
	if _, err := fs.Create("/y", vfs.WriteCategoryUnspecified); !errors.Is(err, disk.ErrDead) {
		t.Errorf("W1: a process without a disk wrote: %v", err)
	}
	if !inc.Dead() {
		t.Error("a process outlived its disk")
	}
	f.mustBoot(t)
	if names, err := f.opened[1].fs.List("/"); err != nil || len(names) != 0 {
		t.Errorf("W6: the new disk holds %v (%v)", names, err)
	}
	if r := w.Report(); r.LostDisks != 1 || r.Kills != 0 || f.Flipped() {
		t.Errorf("report %+v (flipped %v), want one lost disk", r, f.Flipped())
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAFatalErrorEndsThatProcessAlone(t *testing.T) {
	w, first := newFakeProcess(t)
	second := &fakeProcess{disk: disk.New(disk.Config{}, w.Rand("disk2"), w.TraceLine), during: func() error { return nil }}
	second.Process = w.NewProcess("q", second.disk, first.driver)
	dying := first.mustBoot(t)
	if err := second.Boot(); err != nil {
		t.Fatal(err)
	}
	other, err := second.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.opened[0].err = errors.New("the disk is on fire")
	close(first.opened[0].ended)
	<-dying.Context().Done()
	first.AwaitBurials()
	if other.Dead() {
		t.Error("the other process died with it")
	}
	f, err := first.opened[1].fs.Create("/x", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Errorf("the other process cannot write any more: %v", err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
	var violation *report.Violation
	if err := second.Shutdown(t.Context()); err != nil || errors.As(err, &violation) {
		t.Error(err)
	}
}
