package scenario

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
)

const (
	// leakLimit is how long after the end goroutines may still be ending.
	leakLimit = 10 * time.Second
	// stackBytes is the most that is read of all stacks.
	stackBytes = 4 << 20
)

// goroutines maps the headline of each goroutine's stack, without its state,
// to the stack.
type goroutines map[string]string

func listGoroutines() goroutines {
	buf := make([]byte, stackBytes)
	return parseGoroutines(string(buf[:runtime.Stack(buf, true)]))
}

func parseGoroutines(dump string) goroutines {
	all := make(goroutines)
	for stack := range strings.SplitSeq(strings.TrimSpace(dump), "\n\n") {
		name, _, _ := strings.Cut(stack, " [")
		all[name] = stack
	}
	return all
}

// since returns the stacks that are not in before and not known leaks.
func (g goroutines) since(before goroutines) (stacks []string) {
	for name, stack := range g {
		if before[name] == "" && !world.KnownLeak(stack) {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// checkGoroutines verifies that nothing goes on after the end (S4).
func checkGoroutines(ctx context.Context, w *world.World, before goroutines) error {
	began := time.Now()
	for pause := leakLimit / 100; ; pause *= 2 {
		left := listGoroutines().since(before)
		if len(left) == 0 {
			return nil
		}
		if time.Since(began) > leakLimit {
			fmt.Fprintf(os.Stderr, "goroutines that are left after the end:\n\n%s\n", strings.Join(left, "\n\n"))
			return w.Violated("scenario", "S4", "%d goroutines are left after everything was closed", len(left))
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}
