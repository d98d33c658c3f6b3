package workload

import (
	"maps"
	"slices"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/kv"
)

// apply is what o makes of value, which is nil if the key is absent.
func apply(value []byte, o operation) []byte {
	result, left := oracle.Evaluate(o.op, string(value), value != nil, string(o.operand))
	if !left {
		return nil
	}
	return []byte(result)
}

func sortedIDs(m map[uint64]kv.Version) []uint64 { return slices.Sorted(maps.Keys(m)) }
