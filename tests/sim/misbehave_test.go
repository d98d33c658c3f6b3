package sim

import (
	"strings"
	"testing"

	"github.com/plinthdb/plinth/internal/sim/host"
)

func TestBrokenProgramsAreReportedForWhatTheyAre(t *testing.T) {
	cases := map[string]struct {
		outcome host.Outcome
		args    []string
		// text is part of what is printed.
		text string
	}{
		"panic":   {host.Crashed, nil, "panic: as asked for"},
		"violate": {host.Violated, nil, "Misbehave: invariant M1 violated: as asked for"},
		"hang":    {host.Hung, []string{"--limit", "5s"}, "scenario.Misbehave("},
		"busy":    {host.Hung, nil, "a busy loop"},
	}
	for how, c := range cases {
		t.Run(how, func(t *testing.T) {
			args := append([]string{"--misbehave", how}, c.args...)
			r := load(t).Run(t.Context(), host.RunConfig{Seed: 1, Args: args, TailLines: 10})
			printed := text(t, r)
			if r.Outcome != c.outcome || !strings.Contains(printed, c.text) {
				t.Errorf("outcome %v, want %v and %q in:\n%s", r.Outcome, c.outcome, c.text, printed)
			}
			if want := "sim --seed 1 --misbehave " + how; !strings.Contains(printed, want) {
				t.Errorf("H3: no replay command %q in:\n%s", want, printed)
			}
		})
	}
}
