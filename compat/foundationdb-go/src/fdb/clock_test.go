package fdb_test

import (
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// Programs use versions as a clock, for leases.
func TestVersionsGoOnWhileNobodyCommits(t *testing.T) {
	db := open(t)
	set(t, db, "k", "v")
	look := begin(t, db)
	now := func() int64 {
		look.Reset()
		return look.GetReadVersion().MustGet()
	}
	reader := begin(t, db)
	reader.GetRange(allKeys, fdb.RangeOptions{}).GetSliceOrPanic()
	reader.Set(fdb.Key("mine"), nil)
	first := now()
	waitUntil(func() bool { return now() > first })
	reader.Commit().MustGet() // the clock conflicts with nobody
}
