package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// olderAPIVersions are what the compat module runs at besides the newest: a
// process selects one, so each is a process of its own. Between any two of them,
// and the newest, FoundationDB's upgrade guide has changes, but for 620, 710.
func olderAPIVersions() []int {
	return []int{generate.OldestAPIVersion, 300, 410, 510, 600, 620, 630, 700, 710}
}

// TestCompatDoesWhatTheModelSaysAtOlderAPIVersions runs fresh programs.
func TestCompatDoesWhatTheModelSaysAtOlderAPIVersions(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	seed := freshSeed()
	versions, sum := olderAPIVersions(), 0
	for _, version := range versions {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, "-test.run", "^TestFreshPrograms$/^compat$", "-test.v",
				"-api-version", fmt.Sprint(version), "-fresh", fmt.Sprint(*fresh/4), "-seed", fmt.Sprint(seed),
				"-for", (*freshFor / time.Duration(len(versions))).String())
			out, err := cmd.CombinedOutput()
			ran := regexp.MustCompile(`(\d+) fresh programs over compat`).FindSubmatch(out)
			if err != nil || ran == nil || !strings.Contains(string(out), "--- PASS: TestFreshPrograms/compat") {
				t.Fatalf("%v\n%s", err, out)
			}
			n, err := strconv.Atoi(string(ran[1]))
			if err != nil || n == 0 {
				t.Fatalf("%q programs: %v", ran[1], err)
			}
			sum += n
		})
	}
	t.Logf("%d fresh programs at API versions %v, seeds from %d", sum, versions, seed)
}

// TestProgramsForOlderVersionsPlaceStampsAsThoseDo (ForAPIVersion).
func TestProgramsForOlderVersionsPlaceStampsAsThoseDo(t *testing.T) {
	stamped := false
	for seed := range uint64(20) {
		p := generate.API(seed, 60)
		if p.ForAPIVersion(520).String() != p.String() {
			t.Fatalf("seed %d: the program for version 520 is another one", seed)
		}
		now, old := p.Threads[0].Instructions(), p.ForAPIVersion(519).Threads[0].Instructions()
		for i := range now {
			cut := 0
			switch {
			case i+1 < len(now) && len(now[i+1]) > 1 && now[i+1][1] == "SET_VERSIONSTAMPED_KEY":
				cut = 2
			case i+2 < len(now) && len(now[i+2]) > 1 && now[i+2][1] == "SET_VERSIONSTAMPED_VALUE":
				cut = 4
			}
			want := now[i].String()
			if cut > 0 {
				stamped = true
				operand := now[i][1].([]byte)
				want = fmt.Sprintf("%v", append(now[i][:1:1], operand[:len(operand)-cut]))
			}
			if old[i].String() != want {
				t.Errorf("seed %d, instruction %d: %s, want %s", seed, i, old[i], want)
			}
		}
	}
	if !stamped {
		t.Error("no program has a versionstamped operation")
	}
}
