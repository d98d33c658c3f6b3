package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
)

// Blind writers do not wait for the storage server by themselves: they are held
// back while it is behind, with nothing committed, or the log would outgrow the
// disk.
func TestBlindWritersWaitForAStorageServerThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, disk := openBehind(t, storageDir)
		defer closeStore(t, l)
		defer disk.open()
		ctx := context.Background()
		disk.shut.Store(true)
		value := strings.Repeat("x", wire.MaxValueBytes)
		acked := 0
		var err error
		for ; err == nil && acked < 300; acked++ {
			<-time.After(100 * time.Millisecond)
			_, err = l.Commit(ctx, setRequest(0, fmt.Sprint("key", acked), value))
		}
		if !errors.Is(err, wire.ErrProcessBehind) {
			t.Errorf("after %d commits that the storage server could not take: %v", acked, err)
		}
		acked-- // the last was refused
		disk.open()
		<-time.After(10 * time.Second)
		if _, err := l.Commit(ctx, setRequest(0, "after", "x")); err != nil {
			t.Errorf("when the storage server has caught up: %v", err)
		}
		for key, want := range map[string]string{fmt.Sprint("key", acked-1): value, fmt.Sprint("key", acked): "(absent)", "after": "x"} {
			if got := get(t, l, key); got != want {
				t.Errorf("%s holds %.20q, want %.20q", key, got, want)
			}
		}
	})
}
