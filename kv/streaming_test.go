package kv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// pieces is a model that notes the limits of the pieces that were asked for.
type pieces struct {
	*model.Store
	rows, bytes []int
}

func (p *pieces) GetRange(ctx context.Context, r *wire.GetRangeRequest) (wire.GetRangeReply, error) {
	p.rows = append(p.rows, r.LimitRows)
	p.bytes = append(p.bytes, r.LimitBytes)
	return p.Store.GetRange(ctx, r)
}

// iterate reads everything row by row.
func iterate(t *testing.T, db *kv.Database, o kv.RangeOptions) (n int) {
	t.Helper()
	tx := db.Begin(background)
	defer tx.Cancel()
	for _, err := range tx.Range(kv.AllKeys(), o).All() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestStreamingModesDecideTheSizeOfThePieces(t *testing.T) {
	rows := map[string]string{}
	for i := range 60 {
		rows[fmt.Sprintf("%02d", i)] = string(make([]byte, 998))
	}
	const kib = 1 << 10
	for name, c := range map[string]struct {
		options kv.RangeOptions
		bytes   []int // of the first pieces
		rows    int
	}{
		"default":        {kv.RangeOptions{}, []int{8 * kib, 16 * kib, 32 * kib, 64 * kib}, 60},
		"iterator":       {kv.RangeOptions{Mode: kv.StreamingIterator}, []int{8 * kib, 16 * kib, 32 * kib, 64 * kib}, 60},
		"default, limit": {kv.RangeOptions{Limit: 7}, []int{128 * kib}, 7},
		"bytes":          {kv.RangeOptions{LimitBytes: 2500}, []int{2500}, 3},
		"small, bytes":   {kv.RangeOptions{Mode: kv.StreamingSmall, LimitBytes: 2500}, []int{kib, kib}, 3},
		"want all":       {kv.RangeOptions{Mode: kv.StreamingWantAll}, []int{128 * kib}, 60},
		"exact":          {kv.RangeOptions{Mode: kv.StreamingExact, Limit: 50}, []int{0}, 50},
		"exact bytes":    {kv.RangeOptions{Mode: kv.StreamingExact, LimitBytes: 2000}, []int{2000}, 2},
		"small":          {kv.RangeOptions{Mode: kv.StreamingSmall}, slices.Repeat([]int{kib}, 31), 60},
		"medium":         {kv.RangeOptions{Mode: kv.StreamingMedium}, slices.Repeat([]int{8 * kib}, 7), 60},
		"large":          {kv.RangeOptions{Mode: kv.StreamingLarge}, slices.Repeat([]int{32 * kib}, 2), 60},
		"serial":         {kv.RangeOptions{Mode: kv.StreamingSerial}, []int{128 * kib}, 60},
	} {
		store := &pieces{Store: load(rows)}
		db := kv.NewDatabase(store)
		if n := iterate(t, db, c.options); n != c.rows {
			t.Errorf("%s: %d rows", name, n)
		}
		if !slices.Equal(store.bytes, c.bytes) || store.rows[0] != c.options.Limit {
			t.Errorf("%s: pieces of %d bytes, want %d; rows %d", name, store.bytes, c.bytes, store.rows)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestExactStreamingNeedsALimit(t *testing.T) {
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	_, err := tx.Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingExact}).Slice()
	mustBe(t, err, kv.ErrExactModeWithoutLimits)
	_, err = tx.Range(kv.AllKeys(), kv.RangeOptions{Mode: kv.StreamingSerial + 1}).Slice()
	if !errors.Is(err, kv.ErrClientInvalidOperation) {
		t.Errorf("unknown mode: %v", err)
	}
	// Nothing was read, so nothing conflicts and the transaction goes on.
	tx.Set([]byte("k"), nil)
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}
