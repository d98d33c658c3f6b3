package sim

import (
	"slices"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/bugs"
	"github.com/plinthdb/plinth/internal/sim/host"
)

// minBugs is how many planted bugs there have to be.
const minBugs = 12

// This stands in for building the program with them, which takes a minute:
// .ci/run does that, and looks for a few of them.
func TestPlantedBugsFitTheCodeAndCompile(t *testing.T) {
	root, err := host.FindSource(".")
	if err != nil {
		t.Fatal(err)
	}
	all, err := bugs.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < minBugs {
		t.Errorf("%d planted bugs, want %d at least", len(all), minBugs)
	}
	overlay, err := bugs.Plant(root, all)
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for i := range all {
		packages = append(packages, all[i].Packages()...)
	}
	slices.Sort(packages)
	if err := host.Compile(t.Context(), host.BuildConfig{Root: root, Overlay: overlay}, slices.Compact(packages)...); err != nil {
		t.Error(err)
	}
}
