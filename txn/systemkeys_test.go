package txn

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// TestTheSystemKeysAreThoseOfTheVersion checks T6 against a list of all states
// that there have been.
func TestTheSystemKeysAreThoseOfTheVersion(t *testing.T) {
	keys := []string{wire.DatabaseLockedKey, wire.MetadataVersionKey, "\xff/other", "user"}
	rapid.Check(t, func(t *rapid.T) {
		system := NewSystemKeys(10, nil, []byte("first"))
		all := []map[string][]byte{10: {wire.MetadataVersionKey: []byte("first")}}
		asked := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "ask") {
				asked = rapid.IntRange(max(10, asked), len(all)-1).Draw(t, "version")
				got, ok := system.at(wire.Version(asked))
				want := all[asked]
				if !ok || !bytes.Equal(got.lock, want[keys[0]]) || !bytes.Equal(got.metadataVersion, want[keys[1]]) ||
					(got.lock == nil) != (want[keys[0]] == nil) || (got.metadataVersion == nil) != (want[keys[1]] == nil) {
					t.Fatalf("at %d: lock %q, metadata version %q, want %q", asked, got.lock, got.metadataVersion, want)
				}
				continue
			}
			next := map[string][]byte{}
			for k, v := range all[len(all)-1] {
				next[k] = v
			}
			for range rapid.IntRange(1, 3).Draw(t, "transactions") {
				var list []byte
				for range rapid.IntRange(1, 3).Draw(t, "mutations") {
					list = wire.AppendMutation(list, drawSystemMutation(t, keys, next))
				}
				if err := system.apply(wire.Version(len(all)), list); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, next)
		}
	})
}

// drawSystemMutation draws a mutation and applies it to rows.
func drawSystemMutation(t *rapid.T, keys []string, rows map[string][]byte) wire.Mutation {
	key, value := rapid.SampledFrom(keys).Draw(t, "key"), []byte(rapid.StringN(0, 2, -1).Draw(t, "value"))
	switch rapid.SampledFrom([]string{"set", "clear", "append"}).Draw(t, "kind") {
	case "set":
		rows[key] = value
		return wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: value}
	case "append":
		rows[key] = append(append([]byte{}, rows[key]...), value...)
		return wire.Mutation{Type: wire.AppendIfFits, Param1: []byte(key), Param2: value}
	}
	end := rapid.SampledFrom(append(keys, "\xff\xff")).Draw(t, "end")
	for k := range rows {
		if key <= k && k < end {
			delete(rows, k)
		}
	}
	return wire.Mutation{Type: wire.ClearRange, Param1: []byte(key), Param2: []byte(end)}
}

// TestAStateThatIsNotKeptIsNotInvented checks T6 where a look is very late.
func TestAStateThatIsNotKeptIsNotInvented(t *testing.T) {
	system := NewSystemKeys(1, nil, nil)
	list := wire.AppendMutation(nil, wire.Mutation{Param1: []byte(wire.MetadataVersionKey)})
	for v := range wire.Version(maxSystemHistory) {
		if err := system.apply(2+v, list); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := system.at(1); ok {
		t.Error("a state that was dropped is known")
	}
	if _, ok := system.at(2); !ok {
		t.Error("the oldest state that is kept is not known")
	}
	if len(system.mu.history) != maxSystemHistory {
		t.Errorf("%d states are kept", len(system.mu.history))
	}
}

// TestALockedDatabaseTakesOnlyWhatIsAware checks T6 within one batch.
func TestALockedDatabaseTakesOnlyWhatIsAware(t *testing.T) {
	lock := &wire.CommitRequest{HasSystemKeys: true, Mutations: wire.AppendMutation(nil, wire.Mutation{Param1: []byte(wire.DatabaseLockedKey)})}
	plain := &wire.CommitRequest{Mutations: wire.AppendMutation(nil, wire.Mutation{Param1: []byte("k")})}
	aware := &wire.CommitRequest{LockAware: true, Mutations: plain.Mutations}
	b := &batch{}
	for _, r := range []*wire.CommitRequest{plain, lock, plain, aware} {
		b.members = append(b.members, &pending{req: r})
	}
	b.verdicts.Verdicts = make([]wire.Verdict, len(b.members))
	system := NewSystemKeys(1, nil, nil)
	lists, err := b.committedLists(2, system)
	if err != nil || len(lists) != 3 {
		t.Fatalf("%d lists, error %v", len(lists), err)
	}
	for i, member := range b.members {
		if locked := errors.Is(member.err, wire.ErrDatabaseLocked); locked != (i == 2) {
			t.Errorf("transaction %d: %v", i, member.err)
		}
	}
	p := NewReadVersionProxy(ReadVersionConfig{Sequencer: fixedVersion(1), Log: liveLog{}, SystemKeys: system})
	defer p.Close()
	if reply, err := p.ReadVersion(context.Background(), wire.ReadVersionRequest{}); err != nil || reply.Locked {
		t.Errorf("before the lock: %+v, %v", reply, err)
	}
	p.config.Sequencer = fixedVersion(2)
	if reply, err := p.ReadVersion(context.Background(), wire.ReadVersionRequest{}); err != nil || !reply.Locked {
		t.Errorf("with the lock: %+v, %v", reply, err)
	}
}

// fixedVersion is a sequencer at which nothing happens any more.
type fixedVersion wire.Version

func (fixedVersion) NextVersion(context.Context, wire.CommitVersionRequest) (wire.CommitVersionReply, error) {
	return wire.CommitVersionReply{}, wire.ErrGenerationEnded
}

func (fixedVersion) ReportCommitted(context.Context, wire.RoleID, wire.Version) error { return nil }

func (v fixedVersion) CommittedVersion(context.Context, wire.RoleID) (wire.Version, error) {
	return wire.Version(v), nil
}

// liveLog is a log whose generation never ends.
type liveLog struct{}

func (liveLog) Append(_ *wire.AppendRequest, done func(error)) { done(nil) }

func (liveLog) ConfirmLive(context.Context, wire.Generation) error { return nil }
