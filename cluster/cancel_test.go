package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// An opening that is given up, at whatever operation of the disk, says so and
// leaves the directory as good as it was.
func TestAnOpeningThatIsGivenUpCanBeRepeated(t *testing.T) {
	errGivenUp := errors.New("given up")
	var countdown atomic.Int64
	var giveUp atomic.Pointer[context.CancelCauseFunc]
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(errorfs.Op) error {
		if countdown.Add(-1) == 0 {
			(*giveUp.Load())(errGivenUp)
		}
		return nil
	}))
	const keys = 5
	l, err := OpenLocal(t.Context(), smallConfig(fs))
	if err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		if _, err := l.Commit(t.Context(), setRequest(0, fmt.Sprint("key", i), "value")); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, l)
	for operation := int64(1); ; operation += 5 {
		ctx, cancel := context.WithCancelCause(t.Context())
		giveUp.Store(&cancel)
		countdown.Store(operation)
		l, err := OpenLocal(ctx, smallConfig(fs))
		finished := countdown.Swap(0) > 0
		if err != nil {
			if !errors.Is(err, errGivenUp) {
				t.Fatalf("given up at operation %d: %v", operation, err)
			}
			if l, err = OpenLocal(t.Context(), smallConfig(fs)); err != nil {
				t.Fatalf("after an opening that was given up at operation %d: %v", operation, err)
			}
		}
		for i := range keys {
			if got := get(t, l, fmt.Sprint("key", i)); got != "value" {
				t.Fatalf("after operation %d key%d holds %s", operation, i, got)
			}
		}
		closeStore(t, l)
		cancel(nil)
		if finished {
			return // the opening has no more operations
		}
	}
}
