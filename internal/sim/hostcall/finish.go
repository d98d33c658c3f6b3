package hostcall

import "github.com/plinthdb/plinth/internal/sim/report"

// SeedVariable is the environment variable that holds the seed of a simulated
// test, which cannot have arguments of its own.
const SeedVariable = "PLINTH_SIM_SEED"

// Exit statuses of a simulated program; internal/sim/host knows them.
const (
	statusPassed   = 0
	statusViolated = 1
	// StatusHung is for a run that did not end in its virtual time.
	StatusHung = 3
)

// Finish reports how a run ended, with err if it is not nil, and returns the
// program's exit status. An error that nobody expects is a failure of the run
// too.
func Finish(r *report.Report, err error) (status int) {
	if err != nil && r.Violation == nil {
		r.Violation = &report.Violation{Source: "scenario", Invariant: "error", Text: err.Error()}
	}
	data, err := r.Encode()
	if err != nil {
		panic(err)
	}
	send(data)
	if r.Violation != nil {
		return statusViolated
	}
	return statusPassed
}
