package storage_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A server waited for ten seconds with its first flush. A process that was
// killed sooner than that, again and again, replayed ever more, and its log grew
// without end.
func TestALifeFlushesSoonAndThenLessAndLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog()
		l.append(1000, set("a", "1"))
		begin := time.Now()
		s := open(t, vfs.NewMem(), l, nil)
		defer s.Close()
		l.reach(100_000_000) // as the recovery of the next life does
		l.awaitPop(1000)
		if took := time.Since(begin); took > 100*time.Millisecond {
			t.Errorf("the log is popped after %v", took)
		}
		// A busy life: something moves to the engine every 20 ms.
		pops, last := 0, l.popped()
		for version := l.popped() + 200_000_000; time.Since(begin) < time.Minute; version += 10_000_000 {
			l.append(version, set("a", "2"))
			<-time.After(20 * time.Millisecond)
			if p := l.popped(); p != last {
				pops, last = pops+1, p
			}
		}
		if pops < 10 || pops > 20 {
			t.Errorf("the log was popped %d times in a minute", pops)
		}
	})
}
