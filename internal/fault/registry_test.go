package fault

import (
	"fmt"
	"testing"
)

func pattern(r *Registry, name string, visits int) string {
	var s []byte
	for range visits {
		if r.Point(name) {
			s = append(s, '1')
		} else {
			s = append(s, '0')
		}
	}
	return string(s)
}

func TestPointIsQuietUntilEnabledAndAfterDisable(t *testing.T) {
	var r Registry
	always := Config{Seed: 1, ArmProbability: 1, FireProbability: 1}
	if r.Point("a") {
		t.Error("F2: a site fired before Enable")
	}
	r.Enable(always)
	if !r.Point("a") {
		t.Error("a site that must always fire did not")
	}
	r.Disable()
	if r.Point("a") {
		t.Error("F2: a site fired after Disable")
	}
	if got := r.Sites(); len(got) != 1 || got[0] != (Site{Name: "a", Armed: true, Visits: 1, Fired: 1}) {
		t.Errorf("sites = %+v, want one visit of a that fired", got)
	}
}

func TestPatternOfASiteDoesNotDependOnOtherSites(t *testing.T) {
	config := Config{Seed: 7, ArmProbability: 1, FireProbability: 0.5}
	var alone, together Registry
	alone.Enable(config)
	together.Enable(config)
	want := pattern(&alone, "a", 64)
	var got string
	for range 64 {
		pattern(&together, "b", 3)
		got += pattern(&together, "a", 1)
	}
	if got != want {
		t.Errorf("F4: pattern %s with another site, %s alone", got, want)
	}
}

func TestSeedsArmDifferentSites(t *testing.T) {
	armed := func(seed uint64) (s string) {
		var r Registry
		r.Enable(Config{Seed: seed, ArmProbability: 0.25, FireProbability: 1})
		for i := range 100 {
			s += pattern(&r, fmt.Sprint("site", i), 1)
		}
		return s
	}
	first, second := armed(1), armed(1)
	if first != second {
		t.Error("F3: one seed armed different sites in two runs")
	}
	if armed(1) == armed(2) {
		t.Error("two seeds armed the same of a hundred sites")
	}
	count := 0
	for _, c := range armed(3) {
		if c == '1' {
			count++
		}
	}
	if count < 10 || count > 45 {
		t.Errorf("%d of 100 sites armed, want about 25", count)
	}
}

func TestPointAllocatesNothingInThisBinary(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Point("fault.test.site") }); n != 0 {
		t.Errorf("F1: Point allocates %v times", n)
	}
	if !Enabled && Point("fault.test.site") {
		t.Error("F1: Point fired outside the simulation")
	}
}

// BenchmarkPoint measures what a site costs: nothing where the simulation is
// off, since the compiler removes it.
func BenchmarkPoint(b *testing.B) {
	fired := 0
	for range b.N { // b.Loop would keep the compiler from removing it
		if Point("fault.test.site") {
			fired++
		}
	}
	if !Enabled && fired > 0 {
		b.Errorf("F1: Point fired %d times outside the simulation", fired)
	}
}
