package storage

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage/internal/window"
)

// The advance loop may look at a step between its cut and the publication of
// the version that makes it due: publishing must then wake it again.
func TestPublishingWakesTheAdvanceForAStepThatWasNotDueYet(t *testing.T) {
	s := &Server{cfg: Config{}.withDefaults(), advanceSignal: make(chan struct{}, 1)}
	s.waiting = newWaiters(1)
	s.nextDue.store(wire.MaxVersion)
	s.mu.win = window.New(0)
	s.mu.win.Set([]byte("a"), []byte("1"), 1_000_000)
	s.publish(1_000_000)
	s.cutStep(1_000_000)
	<-s.advanceSignal
	if s.dueStep() != nil {
		t.Fatal("the step is due already")
	}
	s.publish(9_000_000)
	select {
	case <-s.advanceSignal:
	default:
		t.Fatal("the advance loop sleeps on")
	}
	if s.dueStep() == nil {
		t.Fatal("the step is not due")
	}
}

// A step larger than half a memtable leaves an empty memtable behind. Pebble ends
// the flush of that alone with an error, although it makes room: the advance
// loop must look again, or it sleeps until a restart.
func TestTheEndOfAFailedFlushWakesTheAdvanceToo(t *testing.T) {
	s := &Server{advanceSignal: make(chan struct{}, 1), flushSignal: make(chan struct{}, 1)}
	for _, err := range []error{nil, errors.New("flush wrote no table")} {
		s.listener().FlushEnd(pebble.FlushInfo{Err: err})
		select {
		case <-s.advanceSignal:
		default:
			t.Errorf("the advance loop sleeps on after a flush that ended with %v", err)
		}
	}
}
