package bulk_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
	"github.com/plinthdb/plinth/kv/embedded"
)

// TestLoadAndScanAnEmbeddedStore goes through a real store, which knows its split
// points.
func TestLoadAndScanAnEmbeddedStore(t *testing.T) {
	db, store, err := embedded.Open("bulk", embedded.InMemory())
	must(t, err)
	rows := numbered(5000)
	progress, err := bulk.Load(background, db, each(rows), bulk.LoadOptions{TransactionBytes: 20_000})
	must(t, err)
	options := bulk.ScanOptions{BatchBytes: 5000}
	i := 0
	for row, err := range bulk.NewScan(db, kv.AllKeys(), options).Rows(background) {
		must(t, err)
		if text([]kv.KeyValue{row}) != text(rows[i:i+1]) {
			t.Fatalf("row %d is %s", i, text([]kv.KeyValue{row}))
		}
		i++
	}
	var n atomic.Int64
	must(t, bulk.NewScan(db, kv.AllKeys(), options).Each(background, func(_ context.Context, rows []kv.KeyValue) error {
		n.Add(int64(len(rows)))
		return nil
	}))
	if i != 5000 || n.Load() != 5000 || progress.Rows != 5000 {
		t.Errorf("%d rows in order, %d in parallel, %+v", i, n.Load(), progress)
	}
	must(t, store.Close())
}
