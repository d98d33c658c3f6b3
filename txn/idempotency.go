package txn

import (
	"context"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/plinthdb/plinth/internal/fault"
	"github.com/plinthdb/plinth/internal/wire"
)

// clearEvery is how many versions apart a proxy clears expired ids.
const clearEvery = wire.IdempotencyRetention / 12

// idKeeper lays out what a batch writes about the idempotency ids of its
// transactions: one row that holds them all, at the batch's own version, and
// now and then the clear of the rows that have expired.
//
// What has expired is a function of the version and of the generation's floor
// alone, and is noted by the atomic maximum of versions. So proxies need not
// know of one another.
type idKeeper struct {
	// floor is the version that the generation starts from.
	floor wire.Version
	// cleared is the version below which this proxy has cleared ids, nextClear
	// when it looks again.
	cleared, nextClear wire.Version
	// list and value are kept for reuse.
	list, value []byte
}

// mutations returns the mutation list for a batch at version in which
// transactions with these ids commit, by their places in the batch. It is valid
// until the next call, and empty if there are no ids.
func (k *idKeeper) mutations(version wire.Version, ids iter.Seq2[uint16, []byte]) []byte {
	k.list, k.value = k.list[:0], k.value[:0]
	first := uint16(0)
	for index, id := range ids {
		if len(k.value)+len(id)+wire.IdempotencyEntryBytes > wire.MaxValueBytes {
			k.addRow(version, first)
		}
		if len(k.value) == 0 {
			first = index
		}
		k.value = wire.AppendIdempotencyID(k.value, id, index)
	}
	if len(k.value) == 0 {
		return nil
	}
	k.addRow(version, first)
	k.clearExpired(version)
	return k.list
}

// addRow writes the ids gathered in value, of which the first belongs to the
// transaction at place first.
func (k *idKeeper) addRow(version wire.Version, first uint16) {
	key := wire.IdempotencyRowKey(wire.MakeStamp(version, first))
	k.list = wire.AppendMutation(k.list, wire.Mutation{Type: wire.SetValue, Param1: key, Param2: k.value})
	k.value = k.value[:0]
}

// clearExpired clears the rows that have expired at version, if it is time to,
// and notes that nothing is known of them any more (T8).
func (k *idKeeper) clearExpired(version wire.Version) {
	if version < k.nextClear {
		return
	}
	k.nextClear = version + clearEvery
	end := k.expired(version)
	if fault.Point("txn.ids.expireEarly") {
		end = version
	}
	if end <= k.cleared {
		return
	}
	k.cleared = end
	rows := wire.IdempotencyRows(0, end-1)
	k.list = wire.AppendMutation(k.list, wire.Mutation{Type: wire.ClearRange, Param1: rows.Begin, Param2: rows.End})
	k.list = wire.AppendMutation(k.list, wire.Mutation{
		Type: wire.ByteMax, Param1: []byte(wire.IdempotencyExpiredKey), Param2: wire.EncodeIdempotencyVersion(end),
	})
}

// expired returns the version below which ids have expired at version. Versions
// leap between generations, so they tell the age of an id only within one:
// until this generation is old enough itself, those before it are counted.
func (k *idKeeper) expired(version wire.Version) wire.Version {
	if end := version - wire.IdempotencyRetention; end >= k.floor {
		return end
	}
	return max(0, k.floor-wire.IdempotencyGenerations*wire.RecoveryVersionStep)
}

// committedIDs yields the places and ids of the transactions of the batch that
// commit. committedLists has to come first.
func (b *batch) committedIDs() iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for i, t := range b.members {
			if len(t.req.IdempotencyID) == 0 || t.err != nil || b.verdicts.Verdicts[i] != wire.Committed {
				continue
			}
			if !yield(uint16(i), t.req.IdempotencyID) {
				return
			}
		}
	}
}

// commitLate is what becomes of a transaction whose client gives up while the
// request is still on its way: it arrives later, and nobody hears of it. Only one
// with an idempotency id can be treated so: whoever sent it takes care that it
// does no harm.
func (p *CommitProxy) commitLate(req *wire.CommitRequest) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.failed != nil {
		return p.mu.failed
	}
	p.group.Add(1) // under mu: Close does not wait yet
	go func() {
		defer p.group.Done()
		timer := time.NewTimer(rand.N(maxFaultDelay))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.ctx.Done():
		}
		_, _ = p.take(context.WithoutCancel(p.ctx), req)
	}()
	return wire.ErrCommitUnknownResult.With("the connection broke while the request was on its way")
}
