package bugs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/host"
	"github.com/plinthdb/plinth/internal/sim/report"
)

// source is a tree of one file, with lines that stand there twice.
const source = `package p

func first(n int) int {
	if n > 3 {
		return 1
	}
	return 2
}

func second(n int) {
	if n > 3 {
		return
	}
	println(n)
}
`

// tree makes a source tree with a patch of the given text and returns its root.
func tree(t *testing.T, patch string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"p/p.go": source, Dir + "/wrong.patch": patch} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const goodPatch = `It is wrong
by one.

--- a/p/p.go
+++ b/p/p.go
@@ -100,3 +100,3 @@
 func first(n int) int {
-	if n > 3 {
+	if n >= 3 {
 		return 1
`

func mustRead(t *testing.T, root string) []Bug {
	t.Helper()
	all, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBugIsAppliedWhereItsLinesStand(t *testing.T) {
	all := mustRead(t, tree(t, goodPatch))
	if len(all) != 1 || all[0].Name != "wrong" || all[0].What != "It is wrong by one." {
		t.Fatalf("read %+v", all)
	}
	overlay, err := all[0].Overlay()
	want := strings.Replace(source, "n > 3", "n >= 3", 1)
	if err != nil || string(overlay["p/p.go"]) != want {
		t.Errorf("patched file (%v):\n%s", err, overlay["p/p.go"])
	}
}

func TestBugThatDoesNotFitIsRefused(t *testing.T) {
	for what, hunk := range map[string]string{
		"its lines are not there": " func first(n int) int {\n-\tif n > 4 {\n+\tif n >= 4 {\n",
		"its lines stand twice":   "-\tif n > 3 {\n+\tif n >= 3 {\n",
	} {
		patch := "Wrong.\n\n--- a/p/p.go\n+++ b/p/p.go\n@@ -1 +1 @@\n" + hunk
		all := mustRead(t, tree(t, patch))
		if _, err := all[0].Overlay(); err == nil || !strings.Contains(err.Error(), "p/p.go") || !strings.Contains(err.Error(), "line 5") {
			t.Errorf("B1: %s: %v", what, err)
		}
	}
}

func TestFilesThatAreNoBugsAreRefused(t *testing.T) {
	const head = "--- a/p/p.go\n+++ b/p/p.go\n"
	for _, patch := range []string{
		"", "Wrong.\n", "Wrong.\n\n", head + "@@ -1 +1 @@\n-a\n+b\n", "Wrong.\n\n" + head,
		"Wrong.\n\n" + head + "@@ -1 +1 @@\n same\n", "Wrong.\n\n" + head + "@@ -1 +1 @@\n?what\n",
		"Wrong.\n\n--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n", "Wrong.\n\nnonsense\n",
	} {
		if all, err := Read(tree(t, patch)); err == nil || !strings.Contains(err.Error(), "wrong.patch") {
			t.Errorf("%q was read as %+v (%v)", patch, all, err)
		}
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a tree without bugs: %v", err)
	}
}

func TestPlantedProgramHasBothBodies(t *testing.T) {
	root := tree(t, goodPatch+"@@ -20,3 +20,3 @@\n \t\treturn\n \t}\n-\tprintln(n)\n+\tprintln(n + 1)\n }\n")
	overlay, err := Plant(root, mustRead(t, root))
	if err != nil {
		t.Fatal(err)
	}
	planted := string(overlay["p/p.go"])
	for _, want := range []string{
		"package p; import plantedfault \"" + switchPackage + "\"\n",
		"if plantedfault.Planted(\"wrong\") {\n\tif n >= 3 {\n", "return 2\n\n}\n\n\tif n > 3 {\n",
		"println(n + 1)\n\nreturn\n}\n\n\tif n > 3 {\n",
	} {
		if !strings.Contains(planted, want) {
			t.Errorf("%q is missing in:\n%s", want, planted)
		}
	}
	if !strings.Contains(string(overlay[switchFile]), switchVariable) {
		t.Errorf("the switch is missing: %q", overlay[switchFile])
	}
}

func TestBugOutsideFunctionsCannotBePlanted(t *testing.T) {
	root := tree(t, "Wrong.\n\n--- a/p/p.go\n+++ b/p/p.go\n@@ -1 +1 @@\n-func second(n int) {\n+func second(n int64) {\n")
	if _, err := Plant(root, mustRead(t, root)); !errors.Is(err, errOutsideFunctions) {
		t.Errorf("planted: %v", err)
	}
}

func TestChooseNamesTheBugsThatThereAre(t *testing.T) {
	all := []Bug{{Name: "a"}, {Name: "b"}}
	if got, err := Choose(all, []string{"all"}); err != nil || len(got) != 2 {
		t.Errorf("all: %v (%v)", Names(got), err)
	}
	if got, err := Choose(all, []string{"b"}); err != nil || !slices.Equal(Names(got), []string{"b"}) {
		t.Errorf("b: %v (%v)", Names(got), err)
	}
	if _, err := Choose(all, []string{"c"}); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("c: %v", err)
	}
}

// fakeProgram fails the seeds from a bug's first one on, and those in broken
// without any bug.
type fakeProgram struct {
	first  map[string]uint64
	broken uint64
}

func (p *fakeProgram) Campaign(_ context.Context, config host.CampaignConfig, each func(*host.Result, *host.Totals)) *host.Totals {
	totals := &host.Totals{}
	for seed := config.First; seed-config.First < config.Count; seed++ {
		if config.Skip != nil && config.Skip(seed) {
			continue
		}
		r := &host.Result{Seed: seed, Flags: config.Run.Flags}
		on := ""
		if len(config.Run.Env) == 2 {
			on = config.Run.Env[1]
		}
		if first := p.first[on]; first > 0 && seed >= first || seed == p.broken {
			r.Outcome, r.Err = host.Violated, &report.Violation{Source: "Cycle", Invariant: "C1"}
			totals.Failed++
		}
		totals.Runs++
		each(r, totals)
		if config.MaxFailures > 0 && totals.Failed >= config.MaxFailures {
			break
		}
	}
	return totals
}

func TestHuntCountsSeedsAndBlamesNoBugForWhatFailsWithoutIt(t *testing.T) {
	p := &fakeProgram{first: map[string]uint64{"easy": 11, "hard": 14}, broken: 15}
	h := Hunt{Program: p, Campaign: host.CampaignConfig{First: 11, Count: 4}}
	var findings []Finding
	for _, name := range []string{"easy", "hard", "hidden"} {
		f, err := h.Search(t.Context(), Bug{Name: name, What: "a|b"})
		if err != nil {
			t.Fatal(err)
		}
		findings = append(findings, f)
	}
	p.broken = 14
	failed, err := h.Vindicate(t.Context(), findings)
	if err != nil || len(failed) != 1 || failed[0].Seed != 14 {
		t.Errorf("failed without a bug: %v (%v)", failed, err)
	}
	if !findings[0].Found() || findings[0].Seeds != 1 || findings[1].Found() || findings[1].Seeds != 4 || findings[2].Found() || findings[2].Seeds != 4 {
		t.Errorf("findings %+v", findings)
	}
	if want := "go run ./cmd/plinth sim --seed 11 --plant easy"; findings[0].Result.Replay() != want {
		t.Errorf("replay %q, want %q", findings[0].Result.Replay(), want)
	}
	var b strings.Builder
	if err := Table(&b, findings); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| easy | a\\|b | 1 | Cycle C1 |\n", "| hard | a\\|b | not in 4 | Cycle C1, and without the bug as well |\n", "| hidden | a\\|b | not in 4 | not found |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &b)
		}
	}
}

func FuzzParseDiff(f *testing.F) {
	f.Add(goodPatch)
	f.Add("--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n")
	f.Fuzz(func(t *testing.T, text string) {
		files, err := parseDiff(slices.Collect(strings.Lines(text)), 1)
		if err != nil {
			return
		}
		for _, file := range files {
			if file.path == "" || !filepath.IsLocal(file.path) || len(file.hunks) == 0 {
				t.Errorf("parsed %+v", file)
			}
			// Whatever it says, it either fits or is refused.
			if out, err := file.apply([]byte(source)); err != nil && out != nil {
				t.Errorf("%+v gave both %q and %v", file, out, err)
			}
		}
	})
}
