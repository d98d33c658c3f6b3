package fdb_test

import (
	"slices"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

func TestSizesSplitPointsAndPlacesOfARange(t *testing.T) {
	db := open(t)
	fill(t, db, 100, 1000)
	tr := begin(t, db)
	for _, r := range []fdb.ReadTransaction{tr, tr.Snapshot()} {
		if n, err := r.GetEstimatedRangeSizeBytes(allKeys).Get(); err != nil || n < 0 {
			t.Errorf("%d bytes, %v", n, err)
		}
		points, err := r.GetRangeSplitPoints(allKeys, 10_000).Get()
		if err != nil || len(points) < 2 || string(points[0]) != "" || string(points[len(points)-1]) != "\xff" {
			t.Errorf("%v, %v", points, err)
		}
		_, err = r.GetRangeSplitPoints(allKeys, 0).Get()
		mustBeBare(t, err, 2000)
		inverted := fdb.KeyRange{Begin: fdb.Key("b"), End: fdb.Key("a")}
		_, err = r.GetEstimatedRangeSizeBytes(inverted).Get()
		mustBeBare(t, err, 2005)
	}
	if addresses, err := tr.LocalityGetAddressesForKey(fdb.Key("k0050")).Get(); err != nil || !slices.Equal(addresses, []string{"127.0.0.1:0"}) {
		t.Errorf("%q, %v", addresses, err)
	}
	for _, version := range []int64{0, tr.GetReadVersion().MustGet()} {
		if keys, err := db.LocalityGetBoundaryKeys(allKeys, 0, version); err != nil || len(keys) != 1 || len(keys[0]) > 0 {
			t.Errorf("%q, %v", keys, err)
		}
	}
	inside := fdb.KeyRange{Begin: fdb.Key("a"), End: fdb.Key("z")}
	if keys, err := db.LocalityGetBoundaryKeys(inside, 0, 0); err != nil || len(keys) > 0 {
		t.Errorf("%q, %v", keys, err)
	}
}

func TestSpecialKeysAreThere(t *testing.T) {
	db := open(t)
	if err := db.Options().SetTransactionReportConflictingKeys(); err != nil {
		t.Fatal(err)
	}
	tr := begin(t, db)
	if status := tr.Get(fdb.Key("\xff\xff/status/json")).MustGet(); len(status) == 0 || status[0] != '{' {
		t.Errorf("status %q", status)
	}
	if id := tr.Get(fdb.Key("\xff\xff/cluster_id")).MustGet(); len(id) != 32 {
		t.Errorf("id %q", id)
	}
	if health := tr.Get(fdb.Key("\xff\xff/metrics/health/aggregate")).MustGet(); len(health) == 0 || health[0] != '{' {
		t.Errorf("health %q", health)
	}
	tr.Reset()
	conflict(t, db, tr)
	mustBeBare(t, tr.Commit().Get(), 1020)
	prefix := "\xff\xff/transaction/conflicting_keys/"
	rows, err := tr.GetRange(fdb.KeyRange{Begin: fdb.Key(prefix), End: fdb.Key(prefix + "\xff")}, fdb.RangeOptions{}).GetSliceWithError()
	if err != nil || len(rows) != 2 || string(rows[0].Key) != prefix+"contended" || string(rows[0].Value) != "1" {
		t.Errorf("%v, %v", rows, err)
	}
	_, err = tr.Get(fdb.Key("\xff\xff/none")).Get()
	mustBeBare(t, err, 2113)
}
