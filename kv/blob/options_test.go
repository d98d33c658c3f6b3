package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
)

// startsStore keeps with which tags transactions asked for their start.
type startsStore struct {
	*model.Store
	mu   sync.Mutex
	tags [][]string
}

func (s *startsStore) ReadVersion(ctx context.Context, r wire.ReadVersionRequest) (wire.ReadVersionReply, error) {
	s.mu.Lock()
	s.tags = append(s.tags, slices.Clone(r.Tags))
	s.mu.Unlock()
	return s.Store.ReadVersion(ctx, r)
}

// took returns the tags of the starts since it was last called.
func (s *startsStore) took() (tags [][]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tags, s.tags = s.tags, nil
	return tags
}

func TestTheOptionsOfTransactionsHoldForEachThatTheStoreBegins(t *testing.T) {
	store := &startsStore{Store: model.New()}
	db := kv.NewDatabase(store)
	defer db.Close()
	transaction := []kv.TransactionOption{kv.WithTag("blobs"), kv.WithPriority(kv.PriorityBatch)}
	files, err := blob.NewWithOptions(subspace.Sub("files"), blob.Options{
		ChunkBytes: 10, TransactionBytes: 50, Lease: time.Microsecond, Transaction: transaction,
	})
	must(t, err)
	clear(transaction) // the Store has its own
	must(t, second(files.Put(background, db, "a", bytes.NewReader(content(1, 120)))))
	store.took()
	for name, c := range map[string]struct {
		do     func() error
		starts int // how many, at least
	}{
		"put":  {func() error { return second(files.Put(background, db, "b", bytes.NewReader(content(2, 120)))) }, 3},
		"copy": {func() error { return second(files.Copy(background, db, "a", "c")) }, 6},
		"create and close": {func() error {
			w := files.Create(background, db, "d")
			if _, err := w.Write(content(3, 120)); err != nil {
				return err
			}
			return w.Close()
		}, 3},
		"open and read": {func() error {
			r, err := files.Open(background, db, "a")
			if err != nil {
				return err
			}
			return second(io.ReadAll(r))
		}, 2},
		"open and write to": {func() error {
			r, err := files.Open(background, db, "a")
			if err != nil {
				return err
			}
			return second(r.WriteTo(io.Discard))
		}, 4},
		"sweep": {func() error { return second(files.Sweep(background, db)) }, 1},
	} {
		must(t, c.do())
		tags := store.took()
		if len(tags) < c.starts {
			t.Errorf("%s: %d starts, want %d at least", name, len(tags), c.starts)
		}
		for _, got := range tags {
			if !slices.Equal(got, []string{"blobs"}) {
				t.Errorf("%s: a start has the tags %q", name, got)
			}
		}
	}
	_, err = kv.Transact(background, db, func(tx *kv.Transaction) (struct{}, error) {
		return struct{}{}, files.Append(tx, "a", content(4, 20))
	}, kv.WithTag("mine"))
	must(t, err)
	if tags := store.took(); len(tags) != 1 || !slices.Equal(tags[0], []string{"mine"}) {
		t.Errorf("a transaction of the caller's has the tags %q", tags)
	}
}

func TestAnInvalidOptionOfTransactionsIsRefused(t *testing.T) {
	w := newWorld(t, 10, 50)
	files, err := blob.NewWithOptions(subspace.Sub("files"), blob.Options{Transaction: []kv.TransactionOption{kv.WithTag(strings.Repeat("x", 17))}})
	must(t, err)
	_, err = files.Put(background, w.db, "a", bytes.NewReader(nil))
	mustBe(t, err, kv.ErrTagTooLong)
	_, err = files.Open(background, w.db, "a")
	mustBe(t, err, kv.ErrTagTooLong)
	_, err = files.Sweep(background, w.db)
	mustBe(t, err, kv.ErrTagTooLong)
}

func second[T any](_ T, err error) error { return err }

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want one that is %v", err, want)
	}
}
