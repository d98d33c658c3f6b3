package subspace_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
	"github.com/apple/foundationdb/bindings/go/src/fdb/subspace"
	"github.com/apple/foundationdb/bindings/go/src/fdb/tuple"
)

func TestMain(m *testing.M) {
	fdb.MustAPIVersion(730)
	os.Exit(m.Run())
}

func TestASubspacePutsItsPrefixBefore(t *testing.T) {
	s := subspace.Sub("app", int64(1)).Sub("users")
	prefix := string(tuple.Tuple{"app", int64(1), "users"}.Pack())
	key := s.Pack(tuple.Tuple{"ann"})
	if string(s.Bytes()) != prefix || string(s.FDBKey()) != prefix || string(key) != prefix+"\x02ann\x00" {
		t.Errorf("prefix %q, key %q", s.Bytes(), key)
	}
	if got, err := s.Unpack(key); err != nil || got.String() != `("ann")` {
		t.Errorf("%v, %v", got, err)
	}
	for _, foreign := range []fdb.Key{key[1:], fdb.Key(prefix[:3]), fdb.Key(prefix + "\xfe")} {
		if got, err := s.Unpack(foreign); err == nil {
			t.Errorf("%v: %v", foreign, got)
		}
	}
	if !s.Contains(key) || !s.Contains(s) || s.Contains(fdb.Key("app")) || !subspace.AllKeys().Contains(key) {
		t.Error("Contains")
	}
	if got := subspace.FromBytes([]byte(prefix)); got != s {
		t.Errorf("%v is not %v", got, s)
	}
}

func TestASubspaceIsTheRangeOfItsTuples(t *testing.T) {
	s := subspace.FromBytes([]byte("p"))
	begin, end := s.FDBRangeKeys()
	if string(begin.FDBKey()) != "p\x00" || string(end.FDBKey()) != "p\xff" {
		t.Errorf("%v to %v", begin, end)
	}
	from, to := s.FDBRangeKeySelectors()
	if string(from.FDBKeySelector().Key.FDBKey()) != "p\x00" || string(to.FDBKeySelector().Key.FDBKey()) != "p\xff" {
		t.Errorf("%v to %v", from, to)
	}
}

func TestASubspaceIsPrintedAsByFoundationDB(t *testing.T) {
	if got := fmt.Sprint(subspace.Sub("app", 42)); got != `Subspace(rawPrefix=\x02app\x00\x15*)` {
		t.Error(got)
	}
}

func TestASubspaceCannotBeChangedFromOutside(t *testing.T) {
	prefix := []byte("p")
	s := subspace.FromBytes(prefix)
	prefix[0], s.Bytes()[0], s.FDBKey()[0] = 'x', 'x', 'x'
	if string(s.Bytes()) != "p" {
		t.Errorf("%v", s)
	}
}

func TestAStampedKeyKnowsItsPlace(t *testing.T) {
	key, err := subspace.FromBytes([]byte("p")).PackWithVersionstamp(tuple.Tuple{tuple.IncompleteVersionstamp(7)})
	if err != nil || string(key) != "p\x33\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x07\x02\x00\x00\x00" {
		t.Errorf("%q, %v", key, err)
	}
	if _, err := subspace.AllKeys().PackWithVersionstamp(tuple.Tuple{"none"}); err == nil {
		t.Error("a key without a stamp")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	subspace.Sub(int8(1))
}
