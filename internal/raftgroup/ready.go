package raftgroup

import (
	"errors"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/invariants"
	"github.com/plinthdb/plinth/internal/wal"
	"github.com/plinthdb/plinth/internal/wire"
)

// do runs one step of Raft and then everything that follows from it. Raft's
// own refusals (a message from a stranger, a dropped proposal) need no action.
func (g *Group) do(step func() error) {
	g.mu.Lock()
	defer g.unlock()
	defer g.recoverLocked()
	if g.mu.failed != nil {
		return
	}
	if err := step(); err != nil {
		g.config.Logger.Debug("raft refused a step", "group", g.config.Group, "err", err)
	}
	g.driveLocked()
}

// driveLocked works until Raft has nothing left to do.
func (g *Group) driveLocked() {
	for g.mu.failed == nil && g.mu.node.HasReady() {
		g.handleLocked(g.mu.node.Ready())
	}
}

func (g *Group) handleLocked(rd raft.Ready) {
	for _, m := range rd.Messages {
		switch m.GetTo() {
		case raft.LocalAppendThread:
			g.writeLocked(m)
		case raft.LocalApplyThread:
			g.applyLocked(m)
		default:
			g.mu.outbox = append(g.mu.outbox, m)
		}
	}
	if rd.SoftState != nil && rd.SoftState.RaftState != raft.StateLeader {
		g.loseLocked()
	}
}

// writeLocked hands what Raft wants on disk to the log (G1). The commit index
// alone is not worth a record: it can be found again.
func (g *Group) writeLocked(m *pb.Message) {
	var records []wal.Record
	if m.Term != nil {
		hs := &pb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit}
		if hs.GetTerm() != g.mu.hardState.GetTerm() || hs.GetVote() != g.mu.hardState.GetVote() || fault.Point("raftgroup.hardState.again") {
			records = append(records, g.hardStateRecord(hs))
		}
		g.mu.hardState = hs
	}
	states := len(records)
	entries := m.GetEntries()
	for _, e := range entries {
		records = append(records, wal.Record{
			Group: g.config.Group, Kind: recordEntry, Index: e.GetIndex(), Payload: entryHeader(e), Rest: [][]byte{e.GetData()},
		})
	}
	if err := g.store.append(entries); err != nil {
		g.failLocked(err)
		return
	}
	if len(records) == 0 && len(m.GetResponses()) == 0 {
		return
	}
	w := &write{states: states, entries: entries, responses: m.GetResponses()}
	var err error
	if w.positions, err = g.config.Log.Append(nil, records, func(err error) { g.written(w, err) }); err != nil {
		g.failLocked(err)
	}
}

// write is something on its way to disk. It is guarded by the group's lock,
// since it may be done before its positions are noted.
type write struct {
	// positions are those of the records: first some that are not entries
	// (states), then the entries.
	positions []wal.Position
	states    int
	entries   []*pb.Entry
	// responses vouch for the records (G1).
	responses []*pb.Message
	// base is set if the log is to be cut there after the write.
	base *base
}

func (g *Group) hardStateRecord(hs *pb.HardState) wal.Record {
	payload, err := proto.Marshal(hs)
	if err != nil {
		panic(err) // three integers always marshal
	}
	return wal.Record{Group: g.config.Group, Kind: recordHardState, Payload: payload}
}

// written delivers the responses that vouch for what is now on disk. A log
// that failed ends the replica: nothing may vouch for anything any more.
func (g *Group) written(w *write, err error) {
	g.mu.Lock()
	defer g.unlock()
	defer g.recoverLocked()
	if g.mu.failed != nil {
		return
	}
	if err != nil {
		g.failLocked(err)
		return
	}
	g.store.located(w.entries, w.positions[w.states:])
	if w.base != nil {
		if w.base.pos == (wal.Position{}) {
			w.base.pos = w.positions[0]
		}
		g.cutLocked(*w.base)
	}
	for _, r := range w.responses {
		if r.GetTo() != g.config.Replica {
			g.mu.outbox = append(g.mu.outbox, r)
			continue
		}
		if err := g.mu.node.Step(r); err != nil {
			g.config.Logger.Debug("raft refused a response", "group", g.config.Group, "err", err)
		}
	}
	g.driveLocked()
}

// applyLocked gives committed entries to the state machine.
func (g *Group) applyLocked(m *pb.Message) {
	for _, e := range m.GetEntries() {
		if invariants.Enabled {
			invariants.Assert(e.GetIndex() == g.mu.applied+1, "G2: entry %d after %d", e.GetIndex(), g.mu.applied)
		}
		g.mu.applied = e.GetIndex()
		if g.applyEntryLocked(e); g.mu.failed != nil {
			return
		}
	}
	for _, r := range m.GetResponses() {
		if err := g.mu.node.Step(r); err != nil {
			g.config.Logger.Debug("raft refused a response", "group", g.config.Group, "err", err)
		}
	}
	status := g.mu.node.BasicStatus()
	if status.RaftState == raft.StateLeader {
		if term, err := g.store.Term(g.mu.applied); err == nil && term == status.GetTerm() {
			g.leadLocked()
		}
	}
}

func (g *Group) applyEntryLocked(e *pb.Entry) {
	var result any
	var err error
	switch {
	case e.GetType() != pb.EntryNormal:
		g.failLocked(wire.ErrInternal.With("raft entry %d changes the voters, which this version of Plinth cannot do", e.GetIndex()))
		return
	case len(e.GetData()) > 0:
		result, err = g.config.StateMachine.Apply(e.GetIndex(), e.GetData())
	}
	if errors.Is(err, wire.ErrFileCorrupt) {
		g.failLocked(wire.ErrFileCorrupt.With(
			"raft entry %d cannot be applied; a newer version of Plinth may have written it, else restore the store from a backup or a replica", e.GetIndex()).Because(err))
		return
	}
	for p := g.mu.waiting[e.GetIndex()]; p != nil; p = p.older {
		if p.term == e.GetTerm() {
			g.answerLocked(p, result, err)
		} else {
			g.answerLocked(p, nil, ErrLost)
		}
	}
	delete(g.mu.waiting, e.GetIndex())
}

// answerLocked has a proposal answered when the lock is given up.
func (g *Group) answerLocked(p *proposal, result any, err error) {
	g.mu.answers = append(g.mu.answers, answer{p.done, result, err})
}

// leadLocked notes that this replica leads and has applied everything that
// was committed before its term.
func (g *Group) leadLocked() {
	select {
	case <-g.leads:
	default:
		close(g.leads)
	}
}

// loseLocked notes that this replica does not lead any more. What it proposed
// stays unanswered until the entry at its index is known.
func (g *Group) loseLocked() {
	select {
	case <-g.leads:
		g.leads = make(chan struct{})
	default:
	}
}
