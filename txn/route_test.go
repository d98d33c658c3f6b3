package txn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// Every storage server gets the mutations that concern its keys, in order, each
// once; a range clear goes to all servers that it touches.
func TestEveryServerGetsItsMutationsInOrder(t *testing.T) {
	key := rapid.Map(rapid.IntRange(0, 20), func(i int) []byte { return fmt.Appendf(nil, "%02d", i) })
	rapid.Check(t, func(t *rapid.T) {
		begins := [][]byte{{}}
		teams := [][]wire.Tag{{0}}
		for _, b := range rapid.SliceOfNDistinct(rapid.IntRange(1, 20), 0, 5, rapid.ID[int]).Draw(t, "begins") {
			begins = append(begins, fmt.Appendf(nil, "%02d", b))
			teams = append(teams, rapid.SliceOfNDistinct(rapid.SampledFrom([]wire.Tag{0, 1, 2}), 1, 3, rapid.ID[wire.Tag]).Draw(t, "team"))
		}
		slices.SortFunc(begins, bytes.Compare)
		shards, err := NewShardMap(begins, teams)
		if err != nil {
			t.Fatal(err)
		}
		var lists [][]byte
		want := make(map[wire.Tag][]string)
		for range rapid.IntRange(0, 5).Draw(t, "transactions") {
			var list []byte
			for range rapid.IntRange(0, 6).Draw(t, "mutations") {
				m := wire.Mutation{Type: wire.SetValue, Param1: key.Draw(t, "key"), Param2: []byte("v")}
				if rapid.Bool().Draw(t, "clear") {
					m.Type, m.Param2 = wire.ClearRange, key.Draw(t, "end")
				}
				list = wire.AppendMutation(list, m)
				for tag := range wire.Tag(3) {
					if concerns(begins, teams, tag, m) {
						want[tag] = append(want[tag], fmt.Sprint(m))
					}
				}
			}
			lists = append(lists, list)
		}
		body, err := shards.appendBody(nil, lists)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[wire.Tag][]string)
		for runs := wire.ReadRuns(body); ; {
			tags, list, ok, err := runs.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			for r := wire.ReadMutations(list); ; {
				m, ok, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				for _, tag := range tags {
					got[tag] = append(got[tag], fmt.Sprint(m))
				}
			}
		}
		for tag := range wire.Tag(3) {
			if !slices.Equal(got[tag], want[tag]) {
				t.Fatalf("server %d gets %v, want %v", tag, got[tag], want[tag])
			}
		}
	})
}

// concerns says by brute force whether the mutation touches a shard of tag. A
// set touches its key's shard; a clear at least its first key's.
func concerns(begins [][]byte, teams [][]wire.Tag, tag wire.Tag, m wire.Mutation) bool {
	for i := range begins {
		after := i+1 < len(begins) && bytes.Compare(begins[i+1], m.Param1) <= 0
		holdsBegin := bytes.Compare(begins[i], m.Param1) <= 0 && !after
		overlaps := m.Type == wire.ClearRange && bytes.Compare(begins[i], m.Param1) > 0 && bytes.Compare(begins[i], m.Param2) < 0
		if (holdsBegin || overlaps) && slices.Contains(teams[i], tag) {
			return true
		}
	}
	return false
}

func TestBadShardMapsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		begins [][]byte
		teams  [][]wire.Tag
	}{
		"empty":          {},
		"gap at the end": {[][]byte{[]byte("a")}, [][]wire.Tag{{1}}},
		"unsorted":       {[][]byte{{}, []byte("b"), []byte("a")}, [][]wire.Tag{{1}, {1}, {1}}},
		"no team":        {[][]byte{{}}, [][]wire.Tag{{}}},
	} {
		if _, err := NewShardMap(c.begins, c.teams); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestStampsAreFilledIntoKeysAndValues(t *testing.T) {
	stamp := wire.MakeStamp(0x0102030405060708, 0x090a)
	place := func(prefix string) []byte {
		b := append([]byte(prefix), make([]byte, wire.StampBytes)...)
		return append(append(b, "tail"...), byte(len(prefix)), 0, 0, 0)
	}
	var list []byte
	list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetVersionstampedKey, Param1: place("key"), Param2: []byte("v")})
	list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetVersionstampedValue, Param1: []byte("k"), Param2: place("")})
	list = wire.AppendMutation(list, wire.Mutation{Type: wire.AddValue, Param1: []byte("n"), Param2: []byte{1}})
	before := slices.Clone(list)
	got, err := fillStamps(list, stamp)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(list, before) {
		t.Error("the shared list was changed")
	}
	var want []byte
	filled := string(stamp[:])
	want = wire.AppendMutation(want, wire.Mutation{Type: wire.SetValue, Param1: []byte("key" + filled + "tail"), Param2: []byte("v")})
	want = wire.AppendMutation(want, wire.Mutation{Type: wire.SetValue, Param1: []byte("k"), Param2: []byte(filled + "tail")})
	want = wire.AppendMutation(want, wire.Mutation{Type: wire.AddValue, Param1: []byte("n"), Param2: []byte{1}})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if filled != "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a" {
		t.Errorf("stamp is %q", filled)
	}
}

// slowSequencer answers a look only when it is let to.
type slowSequencer struct {
	fakeSequencer
	looks chan chan wire.Version
}

func (s *slowSequencer) CommittedVersion(ctx context.Context, _ wire.RoleID) (wire.Version, error) {
	answer := make(chan wire.Version)
	select {
	case s.looks <- answer:
		return <-answer, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// T1: who asks while a look is under way must not get that look's answer.
func TestRequestsDuringALookShareTheNextOne(t *testing.T) {
	s := &slowSequencer{looks: make(chan chan wire.Version)}
	p := NewReadVersionProxy(ReadVersionConfig{Sequencer: s, Log: &fakeLog{}, MaxWaiters: 3})
	versions := make(chan wire.Version, 10)
	ask := func() {
		reply, err := p.ReadVersion(context.Background(), wire.ReadVersionRequest{})
		if err != nil {
			t.Error(err)
		}
		versions <- reply.Version
	}
	go ask()
	first := <-s.looks
	for range 3 {
		go ask()
	}
	for {
		p.mu.Lock()
		n := p.mu.waiters
		p.mu.Unlock()
		if n == 3 {
			break
		}
	}
	if _, err := p.ReadVersion(context.Background(), wire.ReadVersionRequest{}); !errors.Is(err, wire.ErrGRVProxyMemoryLimit) {
		t.Errorf("one request too many: %v", err)
	}
	first <- 1
	if v := <-versions; v != 1 {
		t.Errorf("the first look gave %d", v)
	}
	second := <-s.looks
	second <- 2
	for range 3 {
		if v := <-versions; v != 2 {
			t.Errorf("T1: a request during the first look got %d", v)
		}
	}
	p.Close()
	if _, err := p.ReadVersion(context.Background(), wire.ReadVersionRequest{}); !errors.Is(err, wire.ErrGenerationEnded) {
		t.Errorf("after close: %v", err)
	}
}
