package scenario

import (
	"fmt"
	"time"

	"github.com/plinthdb/plinth/internal/sim/world"
)

// Misbehave does what a broken program does, so that tests can see the host
// notice it: "panic", "violate", "hang" or "busy".
func Misbehave(w *world.World, how string) error {
	switch how {
	case "panic":
		panic("as asked for")
	case "violate":
		return w.Violated("Misbehave", "M1", "as asked for")
	case "hang":
		// Time goes on, as with heartbeats in a cluster.
		for range time.Tick(time.Second) {
			w.Trace("tick")
		}
	case "busy":
		for range time.Now().UnixNano() {
			_ = time.Now() // each look costs the virtual clock a little
		}
	}
	return fmt.Errorf("there is no misbehaviour %q", how)
}
