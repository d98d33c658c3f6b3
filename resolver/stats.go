package resolver

import "github.com/plinthdb/plinth/internal/wire"

// Stats says what a resolver holds and has done since it was recruited.
type Stats struct {
	// Set is the state of the conflict set.
	Set SetStats
	// Batches and Transactions were decided; of the latter, Conflicts and
	// TooOld were refused.
	Batches, Transactions, Conflicts, TooOld uint64
	// Repeats counts requests that got a remembered answer, Stalls those that
	// gave up waiting for their predecessor.
	Repeats, Stalls uint64
	// Waiting requests wait for their predecessor now; Answers are remembered.
	Waiting, Answers int
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
