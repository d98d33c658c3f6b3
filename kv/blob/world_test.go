package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/blob"
	"github.com/plinthdb/plinth/kv/internal/model"
	"github.com/plinthdb/plinth/kv/subspace"
	"github.com/plinthdb/plinth/kv/tuple"
)

// tester is a testing.TB or a *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var background = context.Background()

// leaseVersions is the lease of the tests; the model's versions grow by ten
// with every commit.
const leaseVersions = 1000

// world is a store with blobs of small chunks.
type world struct {
	store *model.Store
	db    *kv.Database
	files *blob.Store
}

func newWorld(t tester, chunkBytes, transactionBytes int) *world {
	w := &world{store: model.New()}
	w.db = kv.NewDatabase(w.store)
	var err error
	w.files, err = blob.NewWithOptions(subspace.Sub("files"), blob.Options{
		ChunkBytes: chunkBytes, TransactionBytes: transactionBytes, Lease: leaseVersions * time.Microsecond,
	})
	must(t, err)
	return w
}

// transact runs f in a transaction.
func (w *world) transact(f func(tx *kv.Transaction) error) error {
	_, err := kv.Transact(background, w.db, func(tx *kv.Transaction) (struct{}, error) { return struct{}{}, f(tx) })
	return err
}

// get returns a blob, nil if there is none.
func (w *world) get(t tester, name string) []byte {
	t.Helper()
	data, err := kv.ReadTransact(background, w.db, func(r kv.Reader) ([]byte, error) { return w.files.Get(r, name) })
	if errors.Is(err, blob.ErrNotExist) {
		return nil
	}
	must(t, err)
	return data
}

// endLeases commits until every lease has ended.
func (w *world) endLeases(t tester) {
	t.Helper()
	for range leaseVersions/10 + 1 {
		must(t, w.transact(func(tx *kv.Transaction) error {
			tx.Clear([]byte("nothing"))
			return nil
		}))
	}
}

// sweepAll ends all leases, sweeps, and checks B2: nothing is left but what want
// consists of.
func (w *world) sweepAll(t tester, want map[string][]byte) {
	t.Helper()
	w.endLeases(t)
	_, err := w.files.Sweep(background, w.db)
	must(t, err)
	rows := map[string]bool{}
	must(t, w.transact(func(tx *kv.Transaction) error {
		count := 0
		for info, err := range w.files.List(tx, "", kv.RangeOptions{}) {
			must(t, err)
			if int64(len(want[info.Name])) != info.Size || want[info.Name] == nil {
				t.Fatalf("%v is listed, want %q", info, want[info.Name])
			}
			count++
			rows[string(subspace.Sub("files", 0).Pack(tuple.Tuple{info.Name}))] = true
			for n := range (info.Size + int64(info.ChunkBytes) - 1) / int64(info.ChunkBytes) {
				rows[string(subspace.Sub("files", 1).Pack(tuple.Tuple{info.ID, n}))] = true
			}
		}
		if count != len(want) {
			t.Fatalf("%d blobs are listed, want %d", count, len(want))
		}
		return nil
	}))
	for _, row := range w.store.Rows() {
		if !rows[string(row.Key)] {
			t.Fatalf("row %s belongs to nothing", tuple.Printable(row.Key))
		}
		delete(rows, string(row.Key))
	}
	if len(rows) > 0 {
		t.Fatalf("%d rows are missing", len(rows))
	}
	for name, data := range want {
		if got := w.get(t, name); !bytes.Equal(got, data) {
			t.Fatalf("%q is %q, want %q", name, got, data)
		}
	}
}

// content is data that tells its place.
func content(seed, size int) []byte {
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, "%d:%d,", seed, b.Len())
	}
	return append([]byte{}, b.Bytes()[:size]...)
}
