package txn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/plinthdb/plinth/internal/wire"
)

// fakeSequencer counts versions by tens.
type fakeSequencer struct {
	sync.Mutex
	last, committed wire.Version
	number          uint64
}

func (s *fakeSequencer) NextVersion(_ context.Context, req wire.CommitVersionRequest) (wire.CommitVersionReply, error) {
	s.Lock()
	defer s.Unlock()
	if req.Number != s.number+1 {
		return wire.CommitVersionReply{}, errors.New("T2: two batches are being formed at once")
	}
	if req.Applied != s.last {
		return wire.CommitVersionReply{}, fmt.Errorf("proxy says it has applied metadata up to %d, not %d", req.Applied, s.last)
	}
	s.number++
	s.last += 10
	return wire.CommitVersionReply{Prev: s.last - 10, Version: s.last}, nil
}

func (s *fakeSequencer) ReportCommitted(_ context.Context, _ wire.RoleID, v wire.Version) error {
	s.Lock()
	defer s.Unlock()
	s.committed = max(s.committed, v)
	return nil
}

func (s *fakeSequencer) CommittedVersion(context.Context, wire.RoleID) (wire.Version, error) {
	s.Lock()
	defer s.Unlock()
	return s.committed, nil
}

// fakeResolver refuses what has a read version below 0 (too old) or a read
// conflict (conflict).
type fakeResolver struct {
	last wire.Version
	fail error
	// spoil, if given, changes a reply.
	spoil func(*wire.ResolveReply)
}

func (r *fakeResolver) Resolve(_ context.Context, req *wire.ResolveRequest) (wire.ResolveReply, error) {
	if r.fail != nil {
		return wire.ResolveReply{}, r.fail
	}
	if req.Prev != r.last {
		return wire.ResolveReply{}, errors.New("T2: a batch is out of order")
	}
	if req.Acknowledged != r.last {
		return wire.ResolveReply{}, fmt.Errorf("proxy acknowledges answers up to %d, the last was given at %d", req.Acknowledged, r.last)
	}
	r.last = req.Version
	reply := wire.ResolveReply{Verdicts: make([]wire.Verdict, len(req.Transactions)), Conflicting: make([][]int, len(req.Transactions))}
	for i, t := range req.Transactions {
		switch {
		case t.ReadVersion < 0:
			reply.Verdicts[i] = wire.TooOld
		case len(t.ReadConflicts) > 0:
			reply.Verdicts[i] = wire.Conflict
			if t.ReportConflicts {
				reply.Conflicting[i] = []int{0}
			}
		}
	}
	if r.spoil != nil {
		r.spoil(&reply)
	}
	return reply, nil
}

// fakeLog keeps what it was given and answers in order, on a goroutine of its
// own, when it is let to.
type fakeLog struct {
	sync.Mutex
	group   sync.WaitGroup
	last    wire.Version
	batches []wire.AppendRequest
	// gate, if not nil, gives one batch a time leave to be durable.
	gate chan struct{}
	// failAfter batches the log fails; 0 is never.
	failAfter int
	answers   chan func()
	inFlight  int
	maxSeen   int
}

func newFakeLog(gate chan struct{}, failAfter int) *fakeLog {
	l := &fakeLog{gate: gate, failAfter: failAfter, answers: make(chan func(), 1000)}
	l.group.Go(func() {
		for answer := range l.answers {
			if l.gate != nil {
				<-l.gate
			}
			answer()
		}
	})
	return l
}

func (l *fakeLog) Append(req *wire.AppendRequest, done func(error)) {
	l.Lock()
	defer l.Unlock()
	var err error
	if req.Prev != l.last {
		err = errors.New("T2: a batch reached the log out of order")
	}
	if l.failAfter > 0 && len(l.batches) >= l.failAfter {
		err = errors.New("disk on fire")
	}
	if err == nil {
		l.last = req.Version
		l.batches = append(l.batches, *req)
	} else if rand.IntN(2) == 0 {
		// What failed may have reached the disk all the same.
		l.batches = append(l.batches, *req)
	}
	l.inFlight++
	l.maxSeen = max(l.maxSeen, l.inFlight)
	l.answers <- func() {
		l.Lock()
		l.inFlight--
		l.Unlock()
		done(err)
	}
}

func (l *fakeLog) ConfirmLive(context.Context, wire.Generation) error { return nil }

func (l *fakeLog) close() {
	close(l.answers)
	l.group.Wait()
}

// keys returns how often each key was written.
func (l *fakeLog) keys() map[string]int {
	keys := make(map[string]int)
	l.each(func(m wire.Mutation) { keys[string(m.Param1)]++ })
	return keys
}

// values returns what each key was set to last.
func (l *fakeLog) values() map[string]string {
	values := make(map[string]string)
	l.each(func(m wire.Mutation) { values[string(m.Param1)] = string(m.Param2) })
	return values
}

// each visits all mutations in the log.
func (l *fakeLog) each(visit func(wire.Mutation)) {
	for _, b := range l.batches {
		runs := wire.ReadRuns(b.Body)
		for {
			_, list, ok, err := runs.Next()
			if err != nil {
				panic(err)
			}
			if !ok {
				break
			}
			for r := wire.ReadMutations(list); ; {
				m, ok, err := r.Next()
				if err != nil {
					panic(err)
				}
				if !ok {
					break
				}
				visit(m)
			}
		}
	}
}
