package ledger

import (
	"fmt"
	"io"
	"strings"

	"github.com/plinthdb/plinth/internal/sim/host"
)

// Print writes the totals of a campaign to w: one line, one for their speed,
// and some for each run that failed.
func (t *Totals) Print(w io.Writer) error {
	var b strings.Builder
	restricted := ""
	if t.Restricted > 0 {
		restricted = fmt.Sprintf(", %d seeds restricted by arguments", t.Restricted)
	}
	fmt.Fprintf(&b, "campaign of %v: %d seeds in %d sittings%s, %d failed, %.0f s simulated in %.0f s of work%s\n",
		t.Key, t.Seeds, t.Sittings, restricted, len(t.Failures), t.VirtualSeconds, t.WallSeconds, host.Describe(&t.Report))
	fmt.Fprintf(&b, "  speed: %v\n", t.Speed)
	for _, r := range t.Failures {
		fmt.Fprintf(&b, "  FAILED seed %d: %s\n  replay: %s\n", r.Seed, r.Error, r.Replay)
		if r.Again != "" {
			fmt.Fprintf(&b, "  a second run was %s\n", r.Again)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
