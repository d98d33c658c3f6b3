package conformance_test

import (
	"bytes"
	"strings"
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
			s, closeStore := openKV(t)
			defer closeStore()
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
	}
}

// TestProgramsComeFromTheirSeeds (G1).
func TestProgramsComeFromTheirSeeds(t *testing.T) {
	for name, generator := range map[string]func(uint64) *generate.Program{
		"api":           func(seed uint64) *generate.Program { return generate.API(seed, 50) },
		"tuple":         func(seed uint64) *generate.Program { return generate.Tuple(seed, 50) },
		"threads":       func(seed uint64) *generate.Program { return generate.Threads(seed, 3, 20) },
		"directory":     func(seed uint64) *generate.Program { return generate.Directory(seed, 50) },
		"directory_hca": func(seed uint64) *generate.Program { return generate.Allocator(seed, 3, 10) },
	} {
		if first, second := generator(1), generator(1); first.String() != second.String() {
			t.Errorf("%s: one seed gives two programs", name)
		}
		if generator(1).String() == generator(2).String() {
			t.Errorf("%s: two seeds give one program", name)
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

// checkAllocation checks the outcome of an allocator program: no directory has
// a prefix that another one's begins with.
func checkAllocation(t *testing.T, got check.Outcome) {
	t.Helper()
	var prefixes []string
	for key, value := range got {
		if strings.HasPrefix(key, "\xfe") && strings.Contains(key, "\x14\x02") {
			prefixes = append(prefixes, value)
		}
	}
	if len(prefixes) == 0 {
		t.Fatal("no directory was made")
	}
	for i, a := range prefixes {
		for j, b := range prefixes {
			if i != j && strings.HasPrefix(a, b) {
				t.Fatalf("prefixes %q and %q overlap", a, b)
			}
		}
	}
}

func checkAllocators(t *testing.T, open func(*testing.T) (*check.Subject, func())) {
	t.Helper()
	s, closeStore := open(t)
	defer closeStore()
	for seed := range uint64(3) {
		p := generate.Allocator(seed, 4, 10)
		checkProgram(t, s, p)
		got, err := s.Run(p)
		if err != nil {
			t.Fatal(err)
		}
		checkAllocation(t, got)
	}
}

func TestKVAllocatesPrefixesToManyMachines(t *testing.T) { checkAllocators(t, openKV) }

func TestCompatAllocatesPrefixesToManyMachines(t *testing.T) { checkAllocators(t, openFDB) }
