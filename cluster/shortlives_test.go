package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A process is killed half a second after every start, and every start makes a
// new segment of the log. What the lives before have left must be given up all
// the same: the log once grew by each of them.
func TestTheLogStaysBoundedOverManyShortLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		most := 0
		for life := range 40 {
			var killed atomic.Bool
			f := &trap{fails: func(int, errorfs.Op) error {
				if killed.Load() {
					return errKilled
				}
				return nil
			}}
			l := open(t, f.wrap(fs), "data")
			for i := range 3 {
				if _, err := l.Commit(context.Background(), setRequest(readVersion(t, l), fmt.Sprint("key", i), fmt.Sprint(life))); err != nil {
					t.Fatal(err)
				}
			}
			<-time.After(500 * time.Millisecond)
			most = max(most, l.Status().WriteAheadLog.Segments)
			killed.Store(true)
			// Its error is that of the dead disk, if it met that.
			_ = l.Close()
		}
		if most > 5 {
			t.Errorf("the log grew to %d segments in 40 short lives", most)
		}
		l := open(t, fs, "data")
		defer closeStore(t, l)
		if got := get(t, l, "key2"); got != "39" {
			t.Errorf("after all lives key2 holds %s", got)
		}
	})
}
