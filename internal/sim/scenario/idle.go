package scenario

import (
	"context"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
)

// IdleName is the scenario of a store that is open and that nobody uses: it
// measures what an idle store costs. Run it by name.
const IdleName = "Idle"

// idleTime is how long the store is idle. It is long enough that opening the
// store does not count.
const idleTime = 5 * time.Minute

// RunIdle opens a store on a healthy disk, leaves it alone, and closes it.
func RunIdle(ctx context.Context, w *world.World, swarm Swarm, driver world.Driver) error {
	before := listGoroutines()
	d := NewDisk(w, swarm)
	defer Count(w, d)
	process := w.NewProcess("p0", d, driver)
	if err := process.Boot(); err != nil {
		return err
	}
	if err := sleep(ctx, idleTime); err != nil {
		return err
	}
	if err := shutdown(ctx, w, process); err != nil {
		return err
	}
	return checkGoroutines(ctx, w, before)
}
