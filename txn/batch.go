package txn

import (
	"context"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// former forms batches, one at a time (T2).
type former struct {
	config *CommitConfig
	// number counts the requests to the sequencer.
	number uint64
	// applied is the newest version whose metadata has been applied.
	applied wire.Version
	// resolved is the version of the last batch whose verdicts arrived.
	resolved wire.Version
	// committed is the newest version known to be durable, a hint for the log.
	committed wire.Version
	ids       idKeeper
}

// batch is a set of transactions that share a version.
type batch struct {
	members  []*pending
	verdicts wire.ResolveReply
	append   wire.AppendRequest
	// err is why the batch cannot go to the log; it then has not gone there.
	err error
}

// form takes members through sequencer and resolvers and lays out what goes to
// the log.
func (f *former) form(ctx context.Context, members []*pending) *batch {
	b := &batch{members: members}
	b.err = f.fill(ctx, b)
	return b
}

func (f *former) fill(ctx context.Context, b *batch) error {
	f.number++
	req := wire.CommitVersionRequest{
		Role: f.config.SequencerRole, Proxy: f.config.Role, Number: f.number, Applied: f.applied,
	}
	turn, err := f.config.Sequencer.NextVersion(ctx, req)
	if err == nil && fault.Point("txn.version.askAgain") {
		turn, err = f.config.Sequencer.NextVersion(ctx, req)
	}
	if err != nil {
		return err
	}
	if len(turn.Metadata) > 0 {
		return wire.ErrInternal.With("commit proxy was given %d metadata changes, which it cannot apply yet", len(turn.Metadata))
	}
	f.applied = turn.Version
	resolve := f.resolveRequest(turn, b.members)
	b.verdicts, err = f.config.Resolver.Resolve(ctx, resolve)
	if err == nil && fault.Point("txn.resolve.askAgain") {
		b.verdicts, err = f.config.Resolver.Resolve(ctx, resolve)
	}
	if err != nil {
		return err
	}
	if err := b.checkVerdicts(); err != nil {
		return err
	}
	f.resolved = turn.Version
	lists, err := b.committedLists(turn.Version, f.config.SystemKeys)
	if err != nil {
		return err
	}
	if ids := f.ids.mutations(turn.Version, b.committedIDs()); len(ids) > 0 {
		lists = append(lists, ids)
	}
	body, err := f.config.Shards.appendBody(nil, lists)
	if err != nil {
		return err
	}
	b.append = wire.AppendRequest{
		Generation: f.config.Generation, Prev: turn.Prev, Version: turn.Version,
		KnownCommitted: f.committed, Body: body,
	}
	return nil
}

func (f *former) resolveRequest(turn wire.CommitVersionReply, members []*pending) *wire.ResolveRequest {
	req := &wire.ResolveRequest{
		Role: f.config.ResolverRole, Proxy: f.config.Role, Prev: turn.Prev, Version: turn.Version, Acknowledged: f.resolved,
		Transactions: make([]wire.ResolveTransaction, len(members)),
	}
	for i, t := range members {
		req.Transactions[i] = wire.ResolveTransaction{
			ReadVersion: t.req.ReadVersion, ReadConflicts: t.req.ReadConflicts,
			WriteConflicts: t.req.WriteConflicts, ReportConflicts: t.req.ReportConflicts,
		}
	}
	return req
}

// checkVerdicts makes sure that there is one answer of a known kind on each
// transaction, and that it names only ranges that there are.
func (b *batch) checkVerdicts() error {
	v := &b.verdicts
	if len(v.Verdicts) != len(b.members) || v.Conflicting != nil && len(v.Conflicting) != len(b.members) {
		return wire.ErrInternal.With("resolver gave %d verdicts on %d transactions", len(v.Verdicts), len(b.members))
	}
	for i, verdict := range v.Verdicts {
		if verdict > wire.TooOld {
			return wire.ErrInternal.With("resolver gave unknown verdict %d", verdict)
		}
		if v.Conflicting == nil {
			continue
		}
		for _, r := range v.Conflicting[i] {
			if r < 0 || r >= len(b.members[i].req.ReadConflicts) {
				return wire.ErrInternal.With("resolver says that range %d of %d conflicts", r, len(b.members[i].req.ReadConflicts))
			}
		}
	}
	return nil
}

// committedLists returns the mutation lists of the transactions that passed.
// One whose versionstamps cannot be filled in, or that finds the database
// locked, is turned into an error of its own and leaves no trace in the log.
func (b *batch) committedLists(version wire.Version, system *SystemKeys) ([][]byte, error) {
	lists := make([][]byte, 0, len(b.members))
	for i, t := range b.members {
		if b.verdicts.Verdicts[i] != wire.Committed {
			continue
		}
		if system.refuses(t.req) {
			t.err = wire.ErrDatabaseLocked
			continue
		}
		list := t.req.Mutations
		if t.req.HasVersionstamps {
			var err error
			if list, err = fillStamps(list, wire.MakeStamp(version, uint16(i))); err != nil {
				t.err = wire.ErrClientInvalidOperation.Because(err)
				continue
			}
		}
		if t.req.HasSystemKeys {
			if err := system.apply(version, list); err != nil {
				return nil, err
			}
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// answer returns what to tell member i, given how the batch ended.
func (b *batch) answer(i int, err error) (wire.CommitReply, error) {
	t := b.members[i]
	switch {
	case b.err != nil:
		// The batch never reached the log (T5).
		return wire.CommitReply{}, wire.ErrGenerationEnded.Because(b.err)
	case t.err != nil:
		return wire.CommitReply{}, t.err
	case b.verdicts.Verdicts[i] == wire.TooOld:
		return wire.CommitReply{}, wire.ErrTransactionTooOld
	case b.verdicts.Verdicts[i] == wire.Conflict:
		return wire.CommitReply{}, b.conflict(i)
	case err != nil:
		return wire.CommitReply{}, wire.ErrCommitUnknownResult.Because(err)
	}
	if fault.Point("txn.reply.lost") {
		return wire.CommitReply{}, wire.ErrCommitUnknownResult
	}
	version := b.append.Version
	return wire.CommitReply{Version: version, Stamp: wire.MakeStamp(version, uint16(i))}, nil
}

// conflict says which ranges of member i conflicted, if it asked.
func (b *batch) conflict(i int) error {
	if b.verdicts.Conflicting == nil || b.verdicts.Conflicting[i] == nil {
		return wire.ErrNotCommitted
	}
	e := &wire.ConflictError{}
	for _, r := range b.verdicts.Conflicting[i] {
		e.Ranges = append(e.Ranges, b.members[i].req.ReadConflicts[r])
	}
	return e
}
