package storage_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/storage"
)

// A log that could not read its own disk any more was asked again for ever:
// reads and commits got errors that said to try again later, and never the
// reason.
func TestALogThatIsDamagedForGoodEndsTheServer(t *testing.T) {
	for _, cause := range []*wire.Error{wire.ErrFileCorrupt, wire.ErrIO} {
		synctest.Test(t, func(t *testing.T) {
			l, fatal := newFakeLog(), make(chan error, 1)
			s := open(t, vfs.NewMem(), l, expectFatal(fatal))
			l.append(1000, set("a", "1"))
			if got := get(t, s, 1000, "a"); got[0] != "1" {
				t.Fatalf("before the damage: %v", got)
			}
			l.fail(cause.With("segment 7 is damaged"))
			l.append(2000, set("a", "2"))
			if err := <-fatal; !errors.Is(err, cause) {
				t.Errorf("fatal error %v, want %v", err, cause)
			}
			if _, err := s.GetValues(t.Context(), &wire.GetValuesRequest{Version: 2000}); !errors.Is(err, cause) {
				t.Errorf("read after that: %v", err)
			}
			if err := s.Close(); !errors.Is(err, cause) {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// One read that goes wrong, or a log that is away for an hour, is no reason to
// end.
func TestALogThatFailsForAWhileIsAskedAgain(t *testing.T) {
	for cause, pause := range map[error]time.Duration{
		wire.ErrFileCorrupt:      100 * time.Millisecond,
		errors.New("no network"): time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newFakeLog()
			s := open(t, vfs.NewMem(), l, func(c *storage.Config) { c.ReadWait = 2 * time.Hour })
			defer s.Close()
			l.fail(cause)
			l.append(1000, set("a", "1"))
			time.AfterFunc(pause, func() { l.fail(nil) })
			if got := get(t, s, 1000, "a"); got[0] != "1" {
				t.Errorf("after %v: %v", cause, got)
			}
		})
	}
}
