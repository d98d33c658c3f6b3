package storage_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/storage"
)

// When nothing is committed any more versions stand still. The window must
// empty itself all the same, and the log be popped.
func TestAnIdleServerMovesItsWindowToTheEngine(t *testing.T) {
	l := newFakeLog()
	s := open(t, vfs.NewMem(), l, func(c *storage.Config) {
		c.IdleAfter, c.FlushInterval = time.Millisecond, time.Millisecond
	})
	l.append(1000, set("a", "1"), set("b", "2"))
	l.append(1001, clearKey("b"))
	l.awaitPop(1001)
	for s.Stats().WindowKeys != 0 {
		runtime.Gosched() // the engine has the step; the window is being trimmed
	}
	if got := get(t, s, 1001, "a", "b"); got[0] != "1" || got[1] != "<absent>" {
		t.Errorf("at the newest version: %v", got)
	}
	l.append(2000, set("b", "3"))
	if got := get(t, s, 2000, "a", "b"); got[0] != "1" || got[1] != "3" {
		t.Errorf("after the next commit: %v", got)
	}
}
