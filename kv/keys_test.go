package kv_test

import (
	"bytes"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

func TestKeysAndRangesHaveTheirNeighbours(t *testing.T) {
	if next := kv.KeyAfter([]byte("a")); string(next) != "a\x00" {
		t.Errorf("after a comes %q", next)
	}
	one := kv.SingleKey([]byte("a"))
	if !one.Contains([]byte("a")) || one.Contains([]byte("a\x00")) || one.Contains([]byte("Z")) {
		t.Errorf("the range of one key is %q", one)
	}
	all, system := kv.AllKeys(), kv.SystemKeys()
	if len(all.Begin) != 0 || string(all.End) != "\xff" || !bytes.Equal(system.Begin, all.End) || string(system.End) != "\xff\xff" {
		t.Errorf("all keys are %q, those of the system %q", all, system)
	}
	for _, key := range []string{kv.DatabaseLockedKey, kv.MetadataVersionKey} {
		if !system.Contains([]byte(key)) {
			t.Errorf("%q is no key of the system", key)
		}
	}
}

// The limits are inclusive.
func TestTheLongestKeyAndValueFit(t *testing.T) {
	if kv.MaxKeyBytes != 10_000 || kv.MaxValueBytes != 100_000 || kv.MaxTransactionBytes != 10_000_000 {
		t.Error("the limits are not FoundationDB's")
	}
	db, _ := open(t)
	tx := db.Begin(background)
	defer tx.Cancel()
	tx.Set(make([]byte, kv.MaxKeyBytes), make([]byte, kv.MaxValueBytes))
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// The numbers are those of FoundationDB's mutation types; programs keep them in
// queues and logs of their own.
func TestMutationsHaveFoundationDBsNumbers(t *testing.T) {
	for number, op := range map[int]kv.MutationType{
		2: kv.MutationAdd, 6: kv.MutationBitAnd, 7: kv.MutationBitOr, 8: kv.MutationBitXor, 9: kv.MutationAppendIfFits,
		12: kv.MutationMax, 13: kv.MutationMin, 14: kv.MutationSetVersionstampedKey,
		15: kv.MutationSetVersionstampedValue, 16: kv.MutationByteMin, 17: kv.MutationByteMax, 20: kv.MutationCompareAndClear,
	} {
		if int(op) != number {
			t.Errorf("a mutation has the number %d, want %d", op, number)
		}
	}
}
