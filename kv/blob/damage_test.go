package blob_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

func headKey(name string) []byte { return subspace.Sub("files", 0).Pack(tuple.Tuple{name}) }

// FuzzHead checks that a head of any content gives a blob or an error that names
// the key.
func FuzzHead(f *testing.F) {
	f.Add(tuple.Tuple{1, tuple.UUID{1}, 25, 10}.Pack())
	f.Add(tuple.Tuple{1, tuple.UUID{1}, -1, 10}.Pack())
	f.Add(tuple.Tuple{1, tuple.UUID{1}, int64(1) << 62, 1}.Pack())
	f.Add(tuple.Tuple{1, tuple.UUID{1}, 25, 0}.Pack())
	f.Add(tuple.Tuple{2}.Pack())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, head []byte) {
		if len(head) > kv.MaxValueBytes {
			return
		}
		w := newWorld(t, 10, 50)
		defer w.db.Close()
		must(t, w.transact(func(tx *kv.Transaction) error {
			tx.Set(headKey("a"), head)
			var damaged *blob.DamagedError
			info, err := w.files.Stat(tx, "a")
			if err != nil && (!errors.As(err, &damaged) || !bytes.Equal(damaged.Key, headKey("a"))) {
				t.Fatal(err)
			}
			_, getErr := w.files.Get(tx, "a") // there are no chunks
			if (getErr == nil) != (err == nil && info.Size == 0) {
				t.Fatalf("%v, read with error %v", info, getErr)
			}
			return nil
		}))
	})
}

func TestDamageIsNamed(t *testing.T) {
	chunk := func(info blob.Info, n int) []byte {
		return subspace.Sub("files", 1).Pack(tuple.Tuple{info.ID, n})
	}
	for name, c := range map[string]struct {
		harm func(tx *kv.Transaction, info blob.Info) (key []byte)
		text string
	}{
		"a missing chunk": {func(tx *kv.Transaction, info blob.Info) []byte {
			tx.Clear(chunk(info, 1))
			return chunk(info, 1)
		}, "missing"},
		"no chunk": {func(tx *kv.Transaction, info blob.Info) []byte {
			tx.ClearRange(kv.KeyRange{Begin: chunk(info, 0), End: chunk(info, 9)})
			return chunk(info, 0)
		}, "missing"},
		"a short chunk": {func(tx *kv.Transaction, info blob.Info) []byte {
			tx.Set(chunk(info, 1), []byte("short"))
			return chunk(info, 1)
		}, "5 bytes instead of 10"},
		"a long chunk": {func(tx *kv.Transaction, info blob.Info) []byte {
			tx.Set(chunk(info, 2), content(1, 11))
			return chunk(info, 2)
		}, "11 bytes instead of 5"},
		"a head of another format": {func(tx *kv.Transaction, info blob.Info) []byte {
			tx.Set(headKey("a"), tuple.Tuple{2}.Pack())
			return headKey("a")
		}, "newer version"},
	} {
		w := newWorld(t, 10, 50)
		info, err := w.files.Put(background, w.db, "a", bytes.NewReader(content(1, 25)))
		must(t, err)
		err = w.transact(func(tx *kv.Transaction) error {
			key := c.harm(tx, info)
			_, err := w.files.Get(tx, "a")
			var damaged *blob.DamagedError
			if !errors.As(err, &damaged) || !bytes.Equal(damaged.Key, key) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
		must(t, err)
	}
	w := newWorld(t, 10, 50)
	upload := subspace.Sub("files", 2).Pack(tuple.Tuple{"a", "no id"})
	must(t, w.transact(func(tx *kv.Transaction) error { tx.Set(upload, nil); return nil }))
	var damaged *blob.DamagedError
	if _, err := w.files.Sweep(background, w.db); !errors.As(err, &damaged) || !bytes.Equal(damaged.Key, upload) {
		t.Errorf("damaged upload: %v", err)
	}
}

func TestWhatIsTooLargeOrOutOfRangeIsRefused(t *testing.T) {
	for _, o := range []blob.Options{{ChunkBytes: -1}, {ChunkBytes: kv.MaxValueBytes + 1}, {TransactionBytes: -1}, {TransactionBytes: 9_000_000}, {Lease: -time.Second}} {
		if _, err := blob.NewWithOptions(subspace.AllKeys(), o); !errors.Is(err, kv.ErrInvalidOptionValue) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	w := newWorld(t, 100_000, 1_000_000)
	huge := make([]byte, 9_000_001)
	must(t, w.transact(func(tx *kv.Transaction) error {
		if err := w.files.Set(tx, "a", huge); !errors.Is(err, blob.ErrTooLarge) {
			t.Errorf("set: %v", err)
		}
		must(t, w.files.Set(tx, "a", []byte("small")))
		if err := w.files.Append(tx, "a", huge); !errors.Is(err, blob.ErrTooLarge) {
			t.Errorf("append: %v", err)
		}
		tx.Set(headKey("b"), tuple.Tuple{1, tuple.UUID{1}, 65 << 20, 10}.Pack())
		if _, err := w.files.Get(tx, "b"); !errors.Is(err, blob.ErrTooLarge) {
			t.Errorf("get: %v", err)
		}
		r, err := w.files.In(tx, "a")
		must(t, err)
		if _, err := r.ReadAt(nil, -1); !errors.Is(err, kv.ErrClientInvalidOperation) {
			t.Errorf("read at -1: %v", err)
		}
		if _, err := r.Seek(-1, 0); !errors.Is(err, kv.ErrClientInvalidOperation) {
			t.Errorf("seek to -1: %v", err)
		}
		if _, err := r.Seek(0, 9); !errors.Is(err, kv.ErrClientInvalidOperation) {
			t.Errorf("whence 9: %v", err)
		}
		return nil
	}))
}

// Two transactions that append to one blob must not both be based on the same
// end.
func TestAppendsConflict(t *testing.T) {
	w := newWorld(t, 10, 50)
	a, b := w.db.Begin(context.Background()), w.db.Begin(context.Background())
	must(t, w.files.Append(a, "log", []byte("one")))
	must(t, w.files.Append(b, "log", []byte("two")))
	must(t, a.Commit())
	if err := b.Commit(); !errors.Is(err, kv.ErrNotCommitted) {
		t.Errorf("second append: %v", err)
	}
	w.sweepAll(t, map[string][]byte{"log": []byte("one")})
}

// TestAppendingDoesNotDisturbReaders checks B4.
func TestAppendingDoesNotDisturbReaders(t *testing.T) {
	w := newWorld(t, 10, 50)
	data := content(1, 25)
	_, err := w.files.Put(background, w.db, "a", bytes.NewReader(data))
	must(t, err)
	r, err := w.files.Open(background, w.db, "a")
	must(t, err)
	must(t, w.transact(func(tx *kv.Transaction) error { return w.files.Append(tx, "a", content(2, 25)) }))
	got := new(bytes.Buffer)
	if _, err := r.WriteTo(got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("read %q, error %v", got, err)
	}
}
