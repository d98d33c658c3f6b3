package bulk_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/bulk"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// TestProbingSplitsEvenAndUnevenKeys checks that probing finds pieces which cover
// the range, however its keys are spread.
func TestProbingSplitsEvenAndUnevenKeys(t *testing.T) {
	for name, key := range map[string]func(i int) []byte{
		"evenly spread": func(i int) []byte { return []byte{byte(i >> 5), byte(i << 3)} },
		"numbers":       func(i int) []byte { return fmt.Appendf(nil, "key %09d", i) },
		"one far away":  func(i int) []byte { return fmt.Appendf(nil, "%c%07d", 'a'+25*(i/7999), i) },
		"zero bytes":    func(i int) []byte { return append(make([]byte, i/100), byte(i%100)) },
	} {
		store := model.New()
		var mutations []byte
		var keys [][]byte
		for i := range 8000 {
			keys = append(keys, key(i))
			mutations = wire.AppendMutation(mutations, wire.Mutation{Type: wire.SetValue, Param1: key(i)})
		}
		if _, err := store.Commit(context.Background(), &wire.CommitRequest{Mutations: mutations}); err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(keys, bytes.Compare)
		db := kv.NewDatabase(store)
		all := kv.AllKeys()
		points, err := bulk.SplitPoints(context.Background(), db, all, bulk.ScanOptions{PieceBytes: 1})
		if err != nil || !bytes.Equal(points[0], all.Begin) || !bytes.Equal(points[len(points)-1], all.End) {
			t.Fatalf("%s: %q, error %v", name, points, err)
		}
		largest := 0
		for i := 1; i < len(points); i++ {
			from, _ := slices.BinarySearchFunc(keys, points[i-1], bytes.Compare)
			to, _ := slices.BinarySearchFunc(keys, points[i], bytes.Compare)
			if largest = max(largest, to-from); to < from || i > 1 && to == from {
				t.Errorf("%s: piece from %q to %q has %d rows", name, points[i-1], points[i], to-from)
			}
		}
		if largest > 2*bulk.ProbeRows {
			t.Errorf("%s: a piece has %d rows", name, largest)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProbingTheEmptyRangeFindsNothing(t *testing.T) {
	db := kv.NewDatabase(model.New())
	points, err := bulk.SplitPoints(context.Background(), db, kv.AllKeys(), bulk.ScanOptions{PieceBytes: 1})
	if err != nil || len(points) != 2 {
		t.Errorf("%q, error %v", points, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
