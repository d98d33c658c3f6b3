package resolver

import "github.com/plinthdb/plinth/internal/wire"

// Stats says what a resolver holds and has done since it was recruited.
type Stats struct {
	// Set is the state of the conflict set.
	Set SetStats `json:"set"`
	// Batches and Transactions were decided; of the latter, Conflicts and
	// TooOld were refused.
	Batches      uint64 `json:"batches"`
	Transactions uint64 `json:"transactions"`
	Conflicts    uint64 `json:"conflicts"`
	TooOld       uint64 `json:"too_old"`
	// Repeats counts requests that got a remembered answer, Stalls those that
	// gave up waiting for their predecessor.
	Repeats uint64 `json:"repeats"`
	Stalls  uint64 `json:"stalls"`
	// Waiting requests wait for their predecessor now; Answers are remembered.
	Waiting int `json:"waiting"`
	Answers int `json:"answers"`
}

// count adds a batch.
func (st *Stats) count(verdicts []wire.Verdict) {
	st.Batches++
	st.Transactions += uint64(len(verdicts))
	for _, v := range verdicts {
		switch v {
		case wire.Conflict:
			st.Conflicts++
		case wire.TooOld:
			st.TooOld++
		}
	}
}

// Stats returns what the resolver holds and has done.
func (r *Resolver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.mu.stats
	st.Set = r.mu.set.Stats()
	st.Answers = len(r.mu.answers.kept)
	return st
}
