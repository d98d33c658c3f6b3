package txn

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/atomicop"
	"github.com/plinthdb/plinth/internal/wire"
)

// testID returns the id of that number.
func testID(n int) []byte {
	return binary.BigEndian.AppendUint64(bytes.Repeat([]byte{1}, wire.MinIdempotencyIDBytes-8), uint64(n))
}

// withID gives a request the id of that number and its conflict ranges.
func withID(req *wire.CommitRequest, n int) *wire.CommitRequest {
	req.IdempotencyID = testID(n)
	c := []wire.KeyRange{wire.IdempotencyConflict(req.IdempotencyID)}
	req.ReadConflicts, req.WriteConflicts = append(req.ReadConflicts, c...), append(req.WriteConflicts, c...)
	return req
}

// idStore is what the mutations about ids leave in a store.
type idStore struct {
	t    rapid.TB
	rows map[string][]byte
}

func (s *idStore) apply(list []byte) {
	r := wire.ReadMutations(list)
	for {
		m, ok, err := r.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if !ok {
			return
		}
		key := string(m.Param1)
		switch m.Type {
		case wire.SetValue:
			if len(m.Param2) > wire.MaxValueBytes {
				s.t.Fatalf("a row of %d bytes", len(m.Param2))
			}
			s.rows[key] = bytes.Clone(m.Param2)
		case wire.ClearRange:
			maps.DeleteFunc(s.rows, func(k string, _ []byte) bool { return key <= k && k < string(m.Param2) })
		default:
			old, there := s.rows[key]
			value, _ := atomicop.Apply(m.Type, old, there, m.Param2)
			s.rows[key] = bytes.Clone(value)
		}
	}
}

// expired returns the version below which ids have been cleared.
func (s *idStore) expired() wire.Version {
	v, err := wire.DecodeIdempotencyVersion(s.rows[wire.IdempotencyExpiredKey])
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// find looks in all rows for the id of that number.
func (s *idStore) find(n int) (stamps []wire.Stamp) {
	for key, value := range s.rows {
		version, ok := wire.IdempotencyRowVersion([]byte(key))
		if !ok {
			continue
		}
		index, found, err := wire.FindIdempotencyID(value, testID(n))
		if err != nil {
			s.t.Fatal(err)
		}
		if found {
			stamps = append(stamps, wire.MakeStamp(version, index))
		}
	}
	return stamps
}

// storedID is where an id was stored, in which generation, and how many
// versions the generations have run for since.
type storedID struct {
	stamp   wire.Stamp
	version wire.Version
	ran     wire.Version
}

// checkAge fails if the id of that number is there although it has expired, or
// has expired too early or too late, in a generation that began at floor.
func (s *idStore) checkAge(n int, id storedID, version, floor wire.Version) {
	expired, found := s.expired(), s.find(n)
	const generations = wire.IdempotencyGenerations * wire.RecoveryVersionStep
	switch {
	case id.version < expired && len(found) > 0:
		s.t.Fatalf("T8: id of version %d is there, all below %d have expired", id.version, expired)
	case id.version >= expired && !slices.Equal(found, []wire.Stamp{id.stamp}):
		s.t.Fatalf("T7: id with stamp %x is found at %x", id.stamp, found)
	case id.version < expired && id.ran < wire.IdempotencyRetention && id.version >= floor-generations:
		s.t.Fatalf("id of version %d has expired at %d, after %d versions", id.version, version, id.ran)
	case id.version >= expired && id.version < floor && id.version < floor-generations,
		id.version >= expired && id.version >= floor && id.ran > wire.IdempotencyRetention+clearEvery:
		s.t.Fatalf("id of version %d is kept at %d, after %d versions", id.version, version, id.ran)
	}
}

// Several generations, each with several proxies, commit ids: T7 and T8 hold,
// what is younger than a minute within its generation is there, and so are the
// last ids of the generations before; nothing is kept for ever.
func TestIDsAreKeptAsLongAsTheyShouldAndNoLonger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := &idStore{t: t, rows: make(map[string][]byte)}
		var ids []storedID
		version, marker := wire.Version(0), wire.Version(0)
		for range rapid.IntRange(1, 14).Draw(t, "generations") {
			version += wire.RecoveryVersionStep
			floor := version
			proxies := []*idKeeper{{floor: floor}, {floor: floor}}
			for range rapid.IntRange(1, 12).Draw(t, "batches") {
				step := wire.Version(rapid.Int64Range(1, int64(wire.IdempotencyRetention/2)).Draw(t, "step"))
				version += step
				for n := range ids {
					ids[n].ran += step
				}
				places := rapid.SliceOfNDistinct(rapid.Uint16(), 1, 3, rapid.ID).Draw(t, "places")
				store.apply(rapid.SampledFrom(proxies).Draw(t, "proxy").mutations(version, func(yield func(uint16, []byte) bool) {
					for _, place := range places {
						ids = append(ids, storedID{stamp: wire.MakeStamp(version, place), version: version})
						if !yield(place, testID(len(ids)-1)) {
							return
						}
					}
				}))
				if store.expired() < marker {
					t.Fatalf("T8: what has expired went back from %d to %d", marker, store.expired())
				}
				marker = store.expired()
				for n, id := range ids {
					store.checkAge(n, id, version, floor)
				}
			}
		}
	})
}

func TestManyIDsOfABatchGoIntoSeveralRows(t *testing.T) {
	store := &idStore{t: t, rows: make(map[string][]byte)}
	k := &idKeeper{}
	const ids = 12_000
	store.apply(k.mutations(7, func(yield func(uint16, []byte) bool) {
		for n := range ids {
			if !yield(uint16(2*n), testID(n)) {
				return
			}
		}
	}))
	if len(store.rows) < 2 {
		t.Errorf("%d rows", len(store.rows))
	}
	for _, n := range []int{0, 5000, 6000, ids - 1} {
		if found := store.find(n); !slices.Equal(found, []wire.Stamp{wire.MakeStamp(7, uint16(2*n))}) {
			t.Errorf("T7: id %d is found at %x", n, found)
		}
	}
}

// obedientResolver gives the verdict that a request's read version stands for.
type obedientResolver struct{}

func (obedientResolver) Resolve(_ context.Context, req *wire.ResolveRequest) (reply wire.ResolveReply, _ error) {
	for _, t := range req.Transactions {
		reply.Verdicts = append(reply.Verdicts, wire.Verdict(t.ReadVersion))
	}
	return reply, nil
}

// T7: the ids in the log are those of the transactions that were acknowledged,
// under their stamps.
func TestTheIDsOfCommittedTransactionsAreStoredWithThem(t *testing.T) {
	b := newBench(nil, 0, func(c *CommitConfig) { c.Resolver = obedientResolver{} })
	replies := make(map[int]wire.CommitReply)
	for n := range 9 {
		req := withID(set(fmt.Sprint("key", n)), n)
		req.ReadVersion = wire.Version(n % 3)
		if n == 6 {
			req = set("without")
		}
		reply, err := b.proxy.Commit(context.Background(), req)
		if err == nil {
			replies[n] = reply
		} else if req.ReadVersion == 0 || !wire.Retryable(err) {
			t.Errorf("%d: %v", n, err)
		}
	}
	b.close()
	store := &idStore{t: t, rows: make(map[string][]byte)}
	b.log.each(func(m wire.Mutation) { store.apply(wire.AppendMutation(nil, m)) })
	for n := range 9 {
		var want []wire.Stamp
		if reply, ok := replies[n]; ok && n != 6 {
			want = []wire.Stamp{reply.Stamp}
		}
		if found := store.find(n); !slices.Equal(found, want) {
			t.Errorf("T7: id %d is found at %x, want %x", n, found, want)
		}
	}
}

// A transaction that arrives after its client has given up is committed, or
// refused by a proxy that ends; Close waits for it.
func TestALateTransactionHasAnOwner(t *testing.T) {
	b := newBench(nil, 0, func(c *CommitConfig) { c.Resolver = obedientResolver{} })
	if err := b.proxy.commitLate(withID(set("late"), 1)); !errors.Is(err, wire.ErrCommitUnknownResult) {
		t.Errorf("the client is told %v", err)
	}
	b.proxy.Close()
	b.log.close()
	if err := b.proxy.commitLate(withID(set("too late"), 2)); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("a proxy that has ended says %v", err)
	}
	if b.log.keys()["too late"] != 0 {
		t.Error("T5: a transaction that was refused is in the log")
	}
}
