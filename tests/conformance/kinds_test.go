package conformance_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// kind is a kind of programs.
type kind struct {
	name string
	// fixed is how many seeds each run begins with, from 0 on.
	fixed uint64
	// share is how many of sharesOfAll programs are of this kind.
	share uint64
	make  func(seed uint64) *generate.Program
}

const sharesOfAll = 12

// kinds are all kinds, the most telling first.
func kinds() []kind {
	return []kind{
		{"api", 60, 5, func(seed uint64) *generate.Program { return generate.API(seed, 60) }},
		{"directory", 25, 2, func(seed uint64) *generate.Program { return generate.Directory(seed, 60) }},
		{"tuple", 25, 2, func(seed uint64) *generate.Program { return generate.Tuple(seed, 60) }},
		{"threads", 15, 1, func(seed uint64) *generate.Program { return generate.Threads(seed, 3, 30) }},
		{"directory_hca", 3, 1, func(seed uint64) *generate.Program { return generate.Allocator(seed, 4, 10) }},
		{"scripted", 40, 1, scriptedProgram},
	}
}

// programOf returns the program of a seed, of whatever kind that seed stands
// for.
func programOf(seed uint64) *generate.Program {
	share := seed % sharesOfAll
	for _, k := range kinds() {
		if share < k.share {
			return k.make(seed)
		}
		share -= k.share
	}
	panic("the shares of the kinds do not add up")
}

// scriptedProgram returns a few scripts one after the other, in one program: each
// finds what those before have left behind. The unit tests are none of them: they
// are of each client's own, and change options of the database.
func scriptedProgram(seed uint64) *generate.Program {
	return chain(seed, func(s *scripted) bool { return !s.calls("UNIT_TESTS") })
}

// maxScripts is how many scripts there are in one program at most.
const maxScripts = 4

// chain makes a program of a few of the scripts that fit. Seeds in a row begin with
// each of them in turn. Only one has directories, as scripts know these by their
// place among all that the machine has opened.
func chain(seed uint64, fits func(*scripted) bool) *generate.Program {
	all := slices.DeleteFunc(scripts(), func(s scripted) bool { return !fits(&s) })
	rng := rand.New(rand.NewPCG(seed, seed))
	first := int(seed % uint64(len(all)))
	order := slices.DeleteFunc(rng.Perm(len(all)), func(i int) bool { return i == first })
	p := all[first].toProgram()
	p.Seed = seed
	directories := all[first].hasDirectories()
	for _, i := range order[:1+rng.IntN(maxScripts-1)] {
		if directories && all[i].hasDirectories() {
			continue
		}
		directories = directories || all[i].hasDirectories()
		p.Threads[0].Steps = append(p.Threads[0].Steps, all[i].toProgram().Threads[0].Steps...)
	}
	return p
}

// opener opens a store in a new directory, if it needs one.
type opener func(dir string) (s *check.Subject, closeStore func() error, err error)

// onStore runs f with a store that is closed however f ends.
func onStore(t *testing.T, open opener, f func(*check.Subject)) {
	t.Helper()
	s, closeStore, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeStore(); err != nil {
			t.Error(err)
		}
	}()
	f(s)
}

// programsPerStore keeps the store small: it remembers five seconds.
const programsPerStore = 25

// campaign and firstSeed make the tests run more programs, and other ones:
//
//	go test . -run 'ModelSays$/api' -campaign 20 -seed 1000000
var (
	campaign  = flag.Uint64("campaign", 1, "run so many times as many programs")
	firstSeed = flag.Uint64("seed", 0, "begin with this seed")
)

// checkKinds runs programs of fixed seeds, of all kinds.
func checkKinds(t *testing.T, open opener) {
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			for seed, end := *firstSeed, *firstSeed+*campaign*k.fixed; seed < end; {
				onStore(t, open, func(s *check.Subject) {
					for n := 0; n < programsPerStore && seed < end; n++ {
						checkProgram(t, s, k.make(seed))
						seed++
					}
				})
			}
		})
	}
}

// checkProgram runs one program, and shrinks it if it fails.
func checkProgram(t *testing.T, s *check.Subject, p *generate.Program) {
	t.Helper()
	if err := differs(s, p); err != nil {
		t.Fatal(err)
	}
}

// differs runs one program, and returns how it fails, and the least that is left
// of it when it does so still.
func differs(s *check.Subject, p *generate.Program) error {
	difference, err := s.Check(p)
	if err != nil {
		return fmt.Errorf("the %s program of seed %d: %w\n%s", p.Kind, p.Seed, err, p)
	}
	if difference == "" {
		return nil
	}
	smaller, shorter := s.Shrink(p)
	return fmt.Errorf("the %s program of seed %d: %s\n%s\n%s", p.Kind, p.Seed, difference, shorter, smaller)
}
