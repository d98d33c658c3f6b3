package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

func TestARestartKeepsWhatWasCommitted(t *testing.T) {
	dir := t.TempDir() + "/data"
	for life := range 3 {
		db, store, err := embedded.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			key := fmt.Sprint("key", i)
			if life > 0 {
				expect(t, db, key, fmt.Sprint("value", life-1))
			}
			mustSet(t, db, key, fmt.Sprint("value", life))
		}
		if s := store.Status(); s.Dir != dir || int(s.Generation) != life+1 || s.Error != "" {
			t.Errorf("life %d: status %+v", life, s)
		}
		closeStore(t, store)
	}
}

func TestStoresInMemoryShareNothing(t *testing.T) {
	db, store, err := embedded.Open("data", embedded.InMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, store)
	mustSet(t, db, "a", "1")
	other, second, err := embedded.Open("data", embedded.InMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, second)
	expect(t, other, "a", "(absent)")
	expect(t, db, "a", "1")
	if _, err := os.Stat("data"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a store in memory made a directory: %v", err)
	}
}

func TestAClosedDatabaseSaysSo(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	mustSet(t, db, "a", "1")
	begun := db.Begin(context.Background())
	defer begun.Cancel()
	if _, err := begun.Get([]byte("a")).Wait(); err != nil {
		t.Fatal(err)
	}
	begun.Set([]byte("a"), []byte("2"))
	if store.Err() != nil {
		t.Errorf("an open store has ended: %v", store.Err())
	}
	closeStore(t, store)
	select {
	case <-store.Ended():
	default:
		t.Error("Ended is not closed after Close")
	}
	_, readErr := get(db, "a")
	for what, err := range map[string]error{
		"a write": set(db, "a", "3"), "a read": readErr, "a commit that had begun": begun.Commit(), "Err": store.Err(),
	} {
		if !errors.Is(err, kv.ErrDatabaseClosed) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
	if err := store.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestADirectoryInUseSaysByWhom(t *testing.T) {
	dir := t.TempDir()
	_, store, err := embedded.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = embedded.Open(dir)
	if !errors.Is(err, kv.ErrDirectoryInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second Open: %v", err)
	}
	closeStore(t, store)
	_, store, err = embedded.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	closeStore(t, store)
}

func TestOptionsReachTheStore(t *testing.T) {
	db, store := open(t, vfs.NewMem(), small(), embedded.WithDatabaseOptions(kv.WithTransactionDefaults(kv.WithSizeLimit(100))))
	defer closeStore(t, store)
	if err := set(db, "a", strings.Repeat("v", 200)); !errors.Is(err, kv.ErrTransactionTooLarge) {
		t.Errorf("200 bytes with a limit of 100: %v", err)
	}
	if limit := store.Status().Storage.WindowLimitBytes; limit != 64<<10 {
		t.Errorf("the window may hold %d bytes, want %d", limit, 64<<10)
	}
}

func TestEstimateBytesGrowsWithWhatIsStored(t *testing.T) {
	db, store := open(t, vfs.NewMem())
	estimate := func(begin, end string) int64 {
		n, err := store.EstimateBytes(context.Background(), []byte(begin), []byte(end))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := estimate("", "\xff"); n != 0 {
		t.Errorf("an empty store has about %d bytes", n)
	}
	mustSet(t, db, "a", strings.Repeat("x", 1000))
	mustSet(t, db, "b", strings.Repeat("x", 1000))
	expect(t, db, "b", strings.Repeat("x", 1000))
	if whole, part := estimate("", "\xff"), estimate("", "b"); whole != 2002 || part != 1001 {
		t.Errorf("two rows of 1001 bytes are about %d bytes, one of them %d", whole, part)
	}
	if _, err := store.EstimateBytes(context.Background(), []byte("b"), []byte("a")); !errors.Is(err, kv.ErrInvertedRange) {
		t.Errorf("inverted range: %v", err)
	}
	closeStore(t, store)
	if _, err := store.EstimateBytes(context.Background(), nil, []byte("a")); !errors.Is(err, kv.ErrDatabaseClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestAContextBoundsTheOpeningOnly(t *testing.T) {
	dir := t.TempDir() + "/data"
	errGivenUp := errors.New("given up")
	ctx, cancel := context.WithCancelCause(t.Context())
	db, store, err := embedded.OpenContext(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	cancel(errGivenUp)
	mustSet(t, db, "key", "value")
	expect(t, db, "key", "value")
	closeStore(t, store)
	if _, _, err := embedded.OpenContext(ctx, dir); !errors.Is(err, errGivenUp) {
		t.Errorf("opened with a context that has ended: %v", err)
	}
}
