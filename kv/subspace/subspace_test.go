package subspace

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv/tuple"
)

func drawTuple() *rapid.Generator[tuple.Tuple] {
	return rapid.Custom(func(t *rapid.T) tuple.Tuple {
		elements := rapid.SliceOfN(rapid.OneOf(
			rapid.Just[tuple.Element](nil),
			rapid.Map(rapid.Int64(), func(v int64) tuple.Element { return v }),
			rapid.Map(rapid.String(), func(v string) tuple.Element { return v }),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(v []byte) tuple.Element { return v }),
		), 0, 4)
		return elements.Draw(t, "elements")
	})
}

func TestSubspacesNestAsTuplesDo(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := FromBytes(rapid.SliceOf(rapid.Byte()).Draw(r, "prefix"))
		a, b := drawTuple().Draw(r, "a"), drawTuple().Draw(r, "b")
		inner := s.Sub(a...)
		key := inner.Pack(b)
		if whole := s.Pack(append(a[:len(a):len(a)], b...)); !bytes.Equal(key, whole) {
			r.Fatalf("S1: %q in the inner subspace, %q in the outer one", key, whole)
		}
		back, err := inner.Unpack(key)
		if err != nil || !bytes.Equal(back.Pack(), b.Pack()) {
			r.Fatalf("S2: %v came back as %v, %v", b, back, err)
		}
		if !inner.Contains(key) || !s.Contains(key) || inner.Range().Contains(key) != (len(b) > 0) {
			r.Fatalf("S3: %q in %s: contains %v, range %v", key, inner, inner.Contains(key), inner.Range())
		}
	})
}

func TestUnpackRefusesForeignKeys(t *testing.T) {
	s := Sub("users")
	for _, key := range []string{"", "\x02user", "\x02userz\x00", "\x02other\x00\x15\x01"} {
		if got, err := s.Unpack([]byte(key)); !errors.Is(err, ErrNotInSubspace) {
			t.Errorf("Unpack(%q) = %v, %v", key, got, err)
		}
	}
	got, err := s.Unpack(append(s.Bytes(), 0x14, 0x02, 'a'))
	var decode *tuple.DecodeError
	if !errors.As(err, &decode) || decode.Offset != len(s.Bytes())+1 {
		t.Errorf("Unpack of a damaged key = %v, %v, want the offset in the whole key", got, err)
	}
}

func TestRangesAndPrefixesAreFoundationDBs(t *testing.T) {
	cases := []struct {
		subspace            Subspace
		prefix, begin, end  string
		printed, keyOfSeven string
	}{
		{AllKeys(), "", "\x00", "\xff", "", "\x15\x07"},
		{Sub("a"), "\x02a\x00", "\x02a\x00\x00", "\x02a\x00\xff", `\x02a\x00`, "\x02a\x00\x15\x07"},
		{FromBytes([]byte("raw\\")).Sub(nil), "raw\\\x00", "raw\\\x00\x00", "raw\\\x00\xff", `raw\\\x00`, "raw\\\x00\x15\x07"},
	}
	for _, c := range cases {
		r := c.subspace.Range()
		if string(c.subspace.Bytes()) != c.prefix || string(r.Begin) != c.begin || string(r.End) != c.end {
			t.Errorf("%s: prefix %q, range %q to %q", c.subspace, c.subspace.Bytes(), r.Begin, r.End)
		}
		if c.subspace.String() != c.printed {
			t.Errorf("String() = %s, want %s", c.subspace, c.printed)
		}
		if key := c.subspace.Pack(tuple.Tuple{7}); string(key) != c.keyOfSeven {
			t.Errorf("%s: Pack(7) = %q, want %q", c.subspace, key, c.keyOfSeven)
		}
	}
}

func TestPackWithVersionstampCountsThePrefix(t *testing.T) {
	s := FromBytes([]byte("log/"))
	param, err := s.PackWithVersionstamp(tuple.Tuple{tuple.IncompleteVersionstamp(1)})
	if err != nil {
		t.Fatal(err)
	}
	content, offset, ok := wire.SplitStampOffset(param)
	if !ok || !s.Contains(content) || offset != len("log/")+1 {
		t.Errorf("parameter %q: content %q, offset %d", param, content, offset)
	}
	if _, err := s.PackWithVersionstamp(tuple.Tuple{1}); !errors.Is(err, tuple.ErrIncompleteCount) {
		t.Errorf("without a stamp: %v", err)
	}
}

func TestASubspaceIsAValue(t *testing.T) {
	prefix := []byte("abc")
	s := FromBytes(prefix)
	prefix[0] = 'x'
	s.Bytes()[0] = 'y'
	if s != FromBytes([]byte("abc")) || s == FromBytes([]byte("abd")) {
		t.Errorf("the subspace is now %s", s)
	}
	if dst, err := s.Append([]byte("dst"), tuple.Tuple{struct{}{}}); err == nil || string(dst) != "dst" {
		t.Errorf("Append of a bad element = %q, %v", dst, err)
	}
	defer func() {
		if _, ok := recover().(*tuple.EncodeError); !ok {
			t.Error("Pack of a bad element did not panic with an *EncodeError")
		}
	}()
	s.Pack(tuple.Tuple{struct{}{}})
}
