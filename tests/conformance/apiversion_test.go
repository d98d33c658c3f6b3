package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/tests/conformance/check"
	"github.com/plinthdb/plinth/tests/conformance/generate"
)

// TestCompatAtOneAPIVersion runs a few programs of each kind at the version of
// the flag.
func TestCompatAtOneAPIVersion(t *testing.T) {
	version := *apiVersion
	checkOnOneStore(t, openFDB, func(s *check.Subject) {
		for seed := range 3 * *campaign {
			// Others than those at the newest version.
			seed += uint64(version) << 20
			checkProgram(t, s, generate.API(seed, 60).ForAPIVersion(version))
			checkProgram(t, s, generate.Directory(seed, 20).ForAPIVersion(version))
			checkProgram(t, s, generate.Tuple(seed, 20).ForAPIVersion(version))
		}
	})
}

// TestCompatDoesWhatTheModelSaysAtOlderAPIVersions runs processes of their own,
// before and behind the versions that changed something: 510, 520 and 610.
func TestCompatDoesWhatTheModelSaysAtOlderAPIVersions(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{generate.OldestAPIVersion, 510, 600} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, "-test.run", "^TestCompatAtOneAPIVersion$", "-test.v",
				"-api-version", fmt.Sprint(version), "-campaign", fmt.Sprint(*campaign))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestCompatAtOneAPIVersion") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestProgramsForOlderVersionsLeaveOutWhatChanged (ForAPIVersion).
func TestProgramsForOlderVersionsLeaveOutWhatChanged(t *testing.T) {
	for version, absent := range map[int][]string{
		newestAPIVersion:          nil,
		519:                       {"STAMPED"},
		generate.OldestAPIVersion: {"STAMPED", `"MIN"`, `"BIT_AND"`, `"AND"`},
	} {
		text := ""
		for seed := range uint64(20) {
			text += generate.API(seed, 60).ForAPIVersion(version).String()
		}
		for _, name := range []string{"STAMPED", `"MIN"`, `"BIT_AND"`, `"AND"`, `"MAX"`} {
			left := strings.Contains(text, name)
			out := false
			for _, a := range absent {
				out = out || a == name
			}
			if left == out {
				t.Errorf("version %d: %s is there: %v", version, name, left)
			}
		}
	}
}
