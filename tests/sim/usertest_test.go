package sim

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/host"

	// As with what is simulated otherwise: what is only compiled must count.
	_ "github.com/plinthdb/plinth/examples/bank"
	_ "github.com/plinthdb/plinth/kv/simtest"
)

const (
	bankPackage = "../../examples/bank"
	bankTest    = "TestTransfersKeepTheSum"
	// breakBank is the flag of the example that plants a bug in it, bankSeeds how
	// many seeds it may take to find it.
	breakBank = "-two-steps"
	bankSeeds = 10
	// twice is how many seeds run twice.
	twice = 2
)

// TestUsersTestsAreRepeatableAndFindTheirBugs runs the example of
// docs/simtest.md as plinth sim --package does.
func TestUsersTestsAreRepeatableAndFindTheirBugs(t *testing.T) {
	run := loadBank(t)
	hashes := make(map[string]bool)
	for seed := range uint64(twice) {
		first, second := run(seed), run(seed)
		if first.Outcome != host.Passed || first.Report.Commits == 0 || first.Hash != second.Hash {
			t.Errorf("H1: two runs of a user's test:\n%s%s", text(t, first), text(t, second))
		}
		hashes[first.Hash] = true
	}
	if len(hashes) != twice {
		t.Error("two seeds have the same trace")
	}
	for seed := range uint64(bankSeeds) {
		found := run(seed, breakBank)
		if found.Outcome == host.Passed {
			continue
		}
		if printed := text(t, found); !strings.Contains(printed, "it should hold 1000") || !strings.Contains(printed, "-- "+breakBank+"\n") {
			t.Errorf("seed %d failed, but of something else, or cannot be replayed:\n%s", seed, printed)
		}
		if again := run(seed, breakBank); again.Hash != found.Hash || again.Err.Error() != found.Err.Error() {
			t.Errorf("H1, H3: the replay differs:\n%s%s", text(t, found), text(t, again))
		}
		if seed < twice {
			return // it has passed without the bug
		}
		if fine := run(seed); fine.Outcome != host.Passed {
			t.Errorf("without the bug:\n%s", text(t, fine))
		}
		return
	}
	t.Errorf("none of %d seeds found that the bank is broken", bankSeeds)
}

// loadBank compiles the example and returns what runs a seed of its test.
func loadBank(t *testing.T) func(seed uint64, args ...string) *host.Result {
	t.Helper()
	tests, err := host.BuildTests(t.Context(), host.TestConfig{Package: bankPackage, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := tests.Choose(bankTest)
	if err != nil || len(chosen) != 1 {
		t.Fatalf("tests %q (%v)", chosen, err)
	}
	program, err := host.Load(t.Context(), tests.Wasm, host.LoadConfig{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := program.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return func(seed uint64, args ...string) *host.Result {
		return program.Run(t.Context(), host.RunConfig{Seed: seed, Test: chosen[0], Args: args, TailLines: tailLines, Command: "plinth sim"})
	}
}
