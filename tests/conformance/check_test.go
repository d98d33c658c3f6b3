package conformance_test

import (
	"bytes"
	"testing"

	"github.com/plinthdb/plinth/kv/tuple"
	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
	"github.com/plinthdb/plinth/tests/conformance/model"
)

// firstDifference returns the first program of some seeds that the model
// predicts differently.
func firstDifference(t *testing.T, s *check.Subject) *generate.Program {
	t.Helper()
	for seed := range uint64(50) {
		p := generate.API(seed, 60)
		difference, err := s.Check(p)
		if err != nil {
			t.Fatal(err)
		}
		if difference != "" {
			return p
		}
	}
	t.Fatal("no program shows the difference")
	return nil
}

// TestADifferenceIsFoundAndShrunk lets the model believe something wrong.
func TestADifferenceIsFoundAndShrunk(t *testing.T) {
	beliefs := map[string]func(*model.Dialect){
		"what a range in the wrong order gives":  func(d *model.Dialect) { d.InvertedRangeFails = !d.InvertedRangeFails },
		"whether there is a commit version":      func(d *model.Dialect) { d.NoCommitVersion = !d.NoCommitVersion },
		"what becomes of a transaction on error": func(d *model.Dialect) { d.OnErrorCancels = !d.OnErrorCancels },
	}
	for name, change := range beliefs {
		t.Run(name, func(t *testing.T) {
			onStore(t, openKV, func(s *check.Subject) {
				change(&s.Dialect)
				p := firstDifference(t, s)
				smaller, difference := s.Shrink(p)
				if difference == "" {
					t.Fatal("the shrunk program shows no difference")
				}
				if n := len(smaller.Threads[0].Steps); n > 5 {
					t.Fatalf("%d steps are left of %d:\n%s", n, len(p.Threads[0].Steps), smaller)
				}
			})
		})
	}
}

// TestProgramsComeFromTheirSeeds (G1).
func TestProgramsComeFromTheirSeeds(t *testing.T) {
	for _, k := range kinds() {
		if first, second := k.make(1), k.make(1); first.String() != second.String() {
			t.Errorf("%s: one seed gives two programs", k.name)
		}
		if k.make(1).String() == k.make(2).String() {
			t.Errorf("%s: two seeds give one program", k.name)
		}
		if p := k.make(1); p.Kind != k.name || p.Seed != 1 {
			t.Errorf("%s: the program says that it is the %s program of seed %d", k.name, p.Kind, p.Seed)
		}
	}
}

// tupleVectors is a list of packed tuples that were written by hand from
// FoundationDB's design document, each behind what it encodes.
func tupleVectors() map[string]tuple.Tuple {
	return map[string]tuple.Tuple{
		"\x00":                          {nil},
		"\x01foo\x00\xffbar\x00":        {[]byte("foo\x00bar")},
		"\x02F\xc3\x94O\x00\xffbar\x00": {"F\u00d4O\x00bar"},
		"\x05\x01foo\x00\xffbar\x00\x00\xff\x05\x00\x00": {tuple.Tuple{[]byte("foo\x00bar"), nil, tuple.Tuple{}}},
		"\x11\xabK":            nil, // malformed: three bytes are announced
		"\x11\xab\x4b\x92":     {int64(-5551213)},
		"\x20\x3d\xd7\xff\xff": {float32(-42)},
	}
}

// TestTheModelEncodesTuplesAsTheDesignDocumentSays checks the model's own tuple
// layer, as all others are compared with it.
func TestTheModelEncodesTuplesAsTheDesignDocumentSays(t *testing.T) {
	for text, want := range tupleVectors() {
		got, err := model.Tuples{}.Unpack([]byte(text))
		if want == nil {
			if err == nil {
				t.Errorf("%q unpacks to %v, and should not", text, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		again, err := model.Tuples{}.Pack(want)
		if err != nil || !bytes.Equal(again, []byte(text)) {
			t.Errorf("%v packs to %q, %v; want %q", want, again, err, text)
		}
		if got.String() != want.String() {
			t.Errorf("%q unpacks to %v, want %v", text, got, want)
		}
	}
}
