package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/report"
)

func testKey() Key {
	return Key{Commit: "0123456789abcdef0123", Program: "feedbeef"}
}

func mustOpen(t *testing.T, dir string, key Key) *Ledger {
	t.Helper()
	l, err := Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustAdd(t *testing.T, l *Ledger, runs ...Run) {
	t.Helper()
	for _, r := range runs {
		if err := l.Add(r); err != nil {
			t.Fatal(err)
		}
	}
}

func passed(seed uint64, args ...string) Run {
	return NewRun(&host.Result{Seed: seed, Args: args, Hash: "abc", Virtual: 30 * time.Second, Report: &report.Report{Commits: 10, Kills: 1}})
}

func failed(seed uint64) Run {
	violation := &report.Violation{Source: "Cycle", Invariant: "C1", Text: "broken"}
	return NewRun(&host.Result{Seed: seed, Outcome: host.Violated, Err: violation, Report: &report.Report{Commits: 5}})
}

func TestCampaignAddsUpOverSittings(t *testing.T) {
	dir := t.TempDir()
	first := mustOpen(t, dir, testKey())
	if err := first.Begin(Sitting{First: 1, Count: 10, Args: []string{"--safety", "1s"}}); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, first, passed(1), passed(2, "--workload", "Cycle"), failed(3))

	second := mustOpen(t, dir, testKey())
	if last, ok := second.Last(); !ok || last.First != 1 || last.Count != 10 || !slices.Equal(last.Args, []string{"--safety", "1s"}) {
		t.Errorf("last sitting %+v (%v)", last, ok)
	}
	if !second.Has(1, nil) || second.Has(2, nil) || !second.Has(2, []string{"--workload", "Cycle"}) || !second.Has(3, nil) || second.Has(4, nil) {
		t.Error("the second sitting does not know what the first one ran")
	}
	mustAdd(t, second, passed(4))
	got := second.Totals()
	if got.Seeds != 4 || len(got.Failures) != 1 || got.Failures[0].Seed != 3 || got.VirtualSeconds != 90 || got.Report.Commits != 35 || got.Report.Kills != 3 {
		t.Errorf("totals %+v", got)
	}
	if err := first.Refresh(); err != nil || first.Totals().Seeds != 4 {
		t.Errorf("the first sitting sees %d seeds after a refresh (%v)", first.Totals().Seeds, err)
	}
}

func TestCampaignsOfOtherProgramsAreApart(t *testing.T) {
	dir := t.TempDir()
	keys := []Key{testKey(), {Commit: testKey().Commit, Modified: true, Program: "feedbeef"}, {Commit: testKey().Commit, Program: "0badcafe"}, {Program: "feedbeef"}}
	for _, key := range keys {
		mustAdd(t, mustOpen(t, dir, key), passed(1))
	}
	all, err := ReadAll(dir)
	if err != nil || len(all) != len(keys) {
		t.Fatalf("%d campaigns (%v), want %d", len(all), err, len(keys))
	}
	for _, l := range all {
		if n := l.Totals().Seeds; n != 1 || !slices.Contains(keys, l.Totals().Key) {
			t.Errorf("%v has %d seeds", l.Totals().Key, n)
		}
	}
}

func TestSeedCountsOnceAndItsFailureStays(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testKey())
	mustAdd(t, l, passed(1), passed(1), failed(2), passed(2), passed(3), failed(3))
	if got := l.Totals(); got.Seeds != 3 || len(got.Failures) != 2 || got.Failures[0].Seed != 2 || got.Failures[1].Seed != 3 {
		t.Errorf("G3: totals %+v", got)
	}
}

func TestLineThatWasCutOffIsRunAgain(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, testKey())
	mustAdd(t, l, passed(1), passed(2))
	data, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	// A crash may leave any beginning of what was written.
	for length := range data {
		if err := os.WriteFile(l.Path(), data[:length], 0o644); err != nil {
			t.Fatal(err)
		}
		again := mustOpen(t, dir, testKey())
		want := max(0, strings.Count(string(data[:length]), "\n")-1)
		if got := again.Totals().Seeds; got != want {
			t.Fatalf("G1: %d runs after a cut at %d, want %d", got, length, want)
		}
		mustAdd(t, again, passed(3))
		if got := mustOpen(t, dir, testKey()).Totals().Seeds; got != want+1 {
			t.Fatalf("G1: %d runs after a cut at %d and one run more, want %d", got, length, want+1)
		}
	}
}

func TestForeignAndDamagedFilesAreNamedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	l := mustOpen(t, dir, testKey())
	mustAdd(t, l, passed(1))
	whole, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	for content, want := range map[string]error{
		"hello\n":                   ErrForeign,
		"no line end":               ErrForeign,
		`{"run":{"seed":1}}` + "\n": ErrForeign,
		string(whole) + "garbage\n": ErrDamaged,
		string(whole) + `{"run":{"seed":2}} {}` + "\n":                ErrDamaged,
		string(whole) + `{"run":{"seed":2}} {}` + "\n":                ErrDamaged,
		string(whole) + "{}\n":                                        ErrDamaged,
		`{"campaign":{"format":9}}` + "\n":                            ErrNewer,
		`{"campaign":{"format":1,"program":"another"}}` + "\n":        ErrForeign,
		strings.Replace(string(whole), `"seed"`, `"se`, 1):            ErrDamaged,
		strings.Replace(string(whole), `"seed":1`, `"seed":"one"`, 1): ErrDamaged,
	} {
		if err := os.WriteFile(l.Path(), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, testKey())
		if !errors.Is(err, want) || !strings.Contains(err.Error(), l.Path()) || !strings.Contains(err.Error(), "--campaign") {
			t.Errorf("G2: %q gave %v, want %v with path and remedy", content, err, want)
		}
		if data, readErr := os.ReadFile(l.Path()); readErr != nil || string(data) != content {
			t.Errorf("G2: the file was changed from %q to %q (%v)", content, data, readErr)
		}
	}
}

func TestTotalsPrintEachFailureWithItsReplay(t *testing.T) {
	l := mustOpen(t, t.TempDir(), testKey())
	mustAdd(t, l, passed(1), failed(7))
	totals := l.Totals()
	if totals.Restricted != 0 {
		t.Errorf("%d seeds are restricted, want none", totals.Restricted)
	}
	mustAdd(t, l, passed(1, "--workload", "Cycle"))
	totals = l.Totals()
	var b strings.Builder
	if err := totals.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"commit 0123456789ab, program feedbeef: 3 seeds", "1 seeds restricted", "1 failed", "25 commits", "FAILED seed 7: Cycle: invariant C1", "replay: go run ./cmd/plinth sim --seed 7\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &b)
		}
	}
}

func TestPruneKeepsTheNewestCampaigns(t *testing.T) {
	dir := t.TempDir()
	if err := Prune(filepath.Join(dir, "missing"), 1); err != nil {
		t.Errorf("a directory that is not there: %v", err)
	}
	for i, program := range []string{"old", "middle", "new"} {
		l := mustOpen(t, dir, Key{Program: program})
		changed := time.Now().Add(time.Duration(i-5) * time.Hour)
		if err := os.Chtimes(l.Path(), changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	if err := Prune(dir, 2); err != nil {
		t.Fatal(err)
	}
	all, err := ReadAll(dir)
	if err != nil || len(all) != 2 || all[0].Totals().Program != "middle" || all[1].Totals().Program != "new" {
		t.Errorf("%d campaigns are left (%v), want the two newest", len(all), err)
	}
}

func TestKeyTellsCommitsAndModifiedTreesApart(t *testing.T) {
	dir := t.TempDir()
	if k := Identify(t.Context(), dir, []byte("wasm")); k.Commit != "" || k.Modified || k.Program == "" {
		t.Errorf("outside a repository: %+v", k)
	}
	if a, b := Identify(t.Context(), dir, []byte("a")), Identify(t.Context(), dir, []byte("b")); a == b {
		t.Error("two programs have the same key")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"campaign":{"format":1,"program":"x"}}` + "\n" + `{"sitting":{"first":1,"count":2}}` + "\n" + `{"run":{"seed":1,"outcome":"passed"}}` + "\n"))
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"campaign"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := &Ledger{path: "fuzz"}
		whole, err := l.parse(data)
		if err != nil && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("error without a kind: %v", err)
		}
		if whole > len(data) || whole > 0 && data[whole-1] != '\n' {
			t.Errorf("%d of %d bytes are whole lines", whole, len(data))
		}
	})
}
