package fdb_test

import (
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// FoundationDB takes a key that is too long for one that is not there, and says
// key_too_large only of writes that would make one.
func TestAKeyThatIsTooLongIsOneThatIsAbsent(t *testing.T) {
	db := open(t)
	longest := strings.Repeat("k", 10_000)
	long, system := fdb.Key(longest+"kk"), fdb.Key("\xff"+longest)
	set(t, db, longest, "v", "z", "z")
	tr := begin(t, db)
	for _, r := range []fdb.ReadTransaction{tr, tr.Snapshot()} {
		mustEqual(t, text(r.Get(long).MustGet()), "<nil>")
		_, err := r.Get(system).Get()
		mustBeBare(t, err, 2004)
	}
	tr.Clear(long)
	if err := tr.AddReadConflictKey(long); err != nil {
		t.Fatal(err)
	}
	if err := tr.AddWriteConflictKey(long); err != nil {
		t.Fatal(err)
	}
	tr.ClearRange(fdb.KeyRange{Begin: long, End: long})
	mustEqual(t, text(tr.Get(fdb.Key(longest)).MustGet()), "v")
	tr.ClearRange(fdb.KeyRange{Begin: fdb.Key("a"), End: long})
	mustEqual(t, text(tr.Get(fdb.Key(longest)).MustGet()), "<nil>")
	tr.Commit().MustGet()
	mustEqual(t, get(t, db, "z"), "z")

	for name, invalidate := range map[string]func(fdb.Transaction){
		"set":   func(tr fdb.Transaction) { tr.Set(long, nil) },
		"add":   func(tr fdb.Transaction) { tr.Add(long, []byte{1}) },
		"clear": func(tr fdb.Transaction) { tr.Clear(system) },
	} {
		code := 2102
		if name == "clear" {
			code = 2004
		}
		tr := begin(t, db)
		invalidate(tr)
		for _, key := range []fdb.Key{long, fdb.Key("a")} {
			_, err := tr.Get(key).Get()
			mustBeBare(t, err, code)
		}
		mustBeBare(t, tr.Commit().Get(), code)
	}
}
