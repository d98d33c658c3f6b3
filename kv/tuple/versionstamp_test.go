package tuple

import (
	"bytes"
	"errors"
	"testing"

	"github.com/plinthdb/plinth/internal/wire"
)

func TestPackWithVersionstampPointsAtTheStamp(t *testing.T) {
	for name, tuple := range map[string]Tuple{
		"First":  {IncompleteVersionstamp(5), "b"},
		"Last":   {"a\x00", 1234, IncompleteVersionstamp(5)},
		"Nested": {"a", Tuple{nil, IncompleteVersionstamp(5)}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			prefix := []byte("prefix\x00")
			param, err := tuple.PackWithVersionstamp(prefix)
			if err != nil {
				t.Fatal(err)
			}
			content, offset, ok := wire.SplitStampOffset(param)
			if !ok || !bytes.HasPrefix(content, prefix) {
				t.Fatalf("parameter %q has no place for a stamp", param)
			}
			stamp := wire.MakeStamp(0x0102030405060708, 0x0a0b)
			copy(content[offset:], stamp[:])

			got, err := Unpack(content[len(prefix):])
			if err != nil {
				t.Fatal(err)
			}
			want := Versionstamp{TransactionVersion: stamp, UserVersion: 5}
			if found := findStamp(got); found != want || got.HasIncompleteVersionstamp() {
				t.Errorf("after the commit the stamp is %v in %v, want %v", found, got, want)
			}
		})
	}
}

// findStamp returns the first Versionstamp in t.
func findStamp(t Tuple) (v Versionstamp) {
	for _, e := range t {
		switch e := e.(type) {
		case Versionstamp:
			return e
		case Tuple:
			if v = findStamp(e); v != (Versionstamp{}) {
				return v
			}
		}
	}
	return v
}

func TestPackWithVersionstampNeedsExactlyOneStamp(t *testing.T) {
	for name, tuple := range map[string]Tuple{
		"None":         {"a"},
		"OnlyComplete": {vectorStamp},
		"Two":          {IncompleteVersionstamp(1), IncompleteVersionstamp(2)},
		"TwoNested":    {IncompleteVersionstamp(1), Tuple{IncompleteVersionstamp(2)}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := tuple.PackWithVersionstamp(nil); !errors.Is(err, ErrIncompleteCount) || got != nil {
				t.Errorf("PackWithVersionstamp = %q, %v", got, err)
			}
		})
	}
	if _, err := (Tuple{IncompleteVersionstamp(0), struct{}{}}).PackWithVersionstamp(nil); !errors.Is(err, ErrUnsupportedType) {
		t.Errorf("with an unsupported element: %v", err)
	}
}

func TestIncompleteStampsSortLast(t *testing.T) {
	late := Versionstamp{TransactionVersion: [10]byte{0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, UserVersion: 0xffff}
	if c := Compare(Tuple{IncompleteVersionstamp(0)}, Tuple{late}); c != 1 {
		t.Errorf("Compare = %d, want 1", c)
	}
	if c := Compare(Tuple{IncompleteVersionstamp(1)}, Tuple{IncompleteVersionstamp(2)}); c != -1 {
		t.Errorf("Compare by user version = %d, want -1", c)
	}
}

func TestStampBytesAreTheTwelveOfTheEncoding(t *testing.T) {
	if vectorStamp.IsIncomplete() || !IncompleteVersionstamp(7).IsIncomplete() {
		t.Error("a stamp does not know whether it is complete")
	}
	if got, want := vectorStamp.Bytes(), (Tuple{vectorStamp}).Pack()[1:]; !bytes.Equal(got, want) {
		t.Errorf("Bytes() = %x, want %x", got, want)
	}
}

func TestStringIsForPeople(t *testing.T) {
	tuple := Tuple{"a\"b", []byte("raw\\\x00"), nil, 42, -1.5, true, power256(8), vectorUUID, vectorStamp,
		IncompleteVersionstamp(3), Tuple{}, Tuple{nil, *power256(1)}}
	want := `("a\"b", b"raw\\\x00", nil, 42, -1.5, true, 18446744073709551616, ` +
		`UUID(1100aabb-ccdd-eeff-1100-aabbccddeeff), Versionstamp(00000001020304050009, 4660), ` +
		`Versionstamp(incomplete, 3), (), (nil, 256))`
	if got := tuple.String(); got != want {
		t.Errorf("String() = %s\nwant       %s", got, want)
	}
	if got := nestedDeep(MaxDepth + 10).String(); len(got) > 3*MaxDepth {
		t.Errorf("a tuple beyond the depth limit printed %d bytes", len(got))
	}
}
