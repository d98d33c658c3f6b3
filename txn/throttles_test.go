package txn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
)

// TestLimitsOnTagsAreThoseOfTheRows compares what the proxies follow with a
// plain map of all rows.
func TestLimitsOnTagsAreThoseOfTheRows(t *testing.T) {
	keys := []string{"a", wire.TagThrottlePrefix, wire.DatabaseLockedKey}
	for _, tag := range []string{"x", "y"} {
		for _, p := range []wire.Priority{wire.PriorityDefault, wire.PriorityBatch} {
			keys = append(keys, string(wire.TagThrottle{Tag: tag, Priority: p}.Row().Key))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := map[string][]byte{}
		system := NewSystemKeys(1, nil, nil)
		if rapid.Bool().Draw(t, "rows at the beginning") {
			row := wire.TagThrottle{Tag: "x", StartsPerSecond: 3}.Row()
			rows[string(row.Key)] = row.Value
			system.SetTagThrottles([]wire.KeyValue{row})
		}
		for version := range rapid.IntRange(1, 8).Draw(t, "transactions") {
			var list []byte
			for range rapid.IntRange(1, 3).Draw(t, "mutations") {
				m := drawSystemMutation(t, keys, rows)
				if m.Type == wire.SetValue && rapid.Bool().Draw(t, "a limit") {
					m.Param2 = wire.TagThrottle{StartsPerSecond: float64(rapid.IntRange(0, 9).Draw(t, "rate"))}.Row().Value
					rows[string(m.Param1)] = m.Param2
				}
				list = wire.AppendMutation(list, m)
			}
			if err := system.apply(wire.Version(2+version), list); err != nil {
				t.Fatal(err)
			}
			var want []wire.TagThrottle
			for _, key := range slices.SortedFunc(maps.Keys(rows), strings.Compare) {
				if limit, err := wire.ParseTagThrottle(wire.KeyValue{Key: []byte(key), Value: rows[key]}); err == nil {
					want = append(want, limit)
				}
			}
			var got []wire.TagThrottle
			if p := system.TagThrottles(); p != nil {
				got = *p
			}
			if !slices.Equal(got, want) {
				t.Fatalf("the limits are %+v, want %+v", got, want)
			}
		}
	})
}

func TestRowsOfLimitsAreBounded(t *testing.T) {
	system := NewSystemKeys(1, nil, nil)
	var list []byte
	for i := range 2 * maxThrottleRows {
		key := fmt.Appendf(nil, "%s%d", wire.TagThrottlePrefix, i)
		list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetValue, Param1: key})
		list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetValue, Param1: append(key, 'x'), Param2: make([]byte, maxThrottleRowBytes)})
	}
	if err := system.apply(2, list); err != nil {
		t.Fatal(err)
	}
	if n := len(system.mu.throttles); n < maxThrottleRows || n > 2*maxThrottleRows {
		t.Errorf("%d rows are kept, want at least %d and at most twice that", n, maxThrottleRows)
	}
}

// Which of too many rows are obeyed does not depend on whether they came one by
// one, in whatever order, or were read when the store was opened: first by key.
func TestTheFirstOfTooManyLimitsAreThoseOfAnOpeningToo(t *testing.T) {
	all := make([]wire.KeyValue, maxThrottleRows+50)
	for i := range all {
		all[i] = wire.TagThrottle{Tag: fmt.Sprintf("%05d", i), StartsPerSecond: float64(i)}.Row()
	}
	all[7].Value = make([]byte, maxThrottleRowBytes)
	opened := NewSystemKeys(1, nil, nil)
	opened.SetTagThrottles(all[:maxThrottleRows])
	want := *opened.TagThrottles()
	if len(want) != maxThrottleRows-1 {
		t.Fatalf("%d limits are obeyed after opening", len(want))
	}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	for name, rows := range map[string][]wire.KeyValue{"in order": all, "backwards": backwards} {
		var list []byte
		for _, row := range rows {
			list = wire.AppendMutation(list, wire.Mutation{Type: wire.SetValue, Param1: row.Key, Param2: row.Value})
		}
		system := NewSystemKeys(1, nil, nil)
		if err := system.apply(2, list); err != nil {
			t.Fatal(err)
		}
		if got := *system.TagThrottles(); !slices.Equal(got, want) {
			t.Errorf("%s: %d limits are obeyed, from %+v to %+v; want %d, to %+v", name, len(got), got[0], got[len(got)-1], len(want), want[len(want)-1])
		}
	}
}

// A tag with a limit goes on as often as it says, waits a little beyond that, and
// is refused when that would take too long. A transaction with the row changes
// the limit at once.
func TestStartsWithATagKeepToItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStarts(0)
		defer s.Close()
		s.config.SystemKeys = NewSystemKeys(0, nil, nil)
		ctx := context.Background()
		tagged := wire.ReadVersionRequest{Tags: []string{"other", "busy"}}
		limit := func(t wire.TagThrottle) {
			row := t.Row()
			_ = s.config.SystemKeys.apply(1, wire.AppendMutation(nil, wire.Mutation{Type: wire.SetValue, Param1: row.Key, Param2: row.Value}))
		}
		s.ask(ctx, "unlimited", tagged)
		s.expect(t, "without a limit", "unlimited")
		limit(wire.TagThrottle{Tag: "busy", StartsPerSecond: 2, Until: time.Now().Add(time.Minute)})
		for _, name := range []string{"first", "second", "third", "fourth"} {
			s.ask(ctx, name, tagged)
		}
		if a := <-s.answers; a.name != "first" || a.err != nil {
			t.Errorf("%s was told %v", a.name, a.err)
		}
		if a := <-s.answers; a.name != "fourth" || !errors.Is(a.err, wire.ErrTagThrottled) || !strings.Contains(a.err.Error(), `"busy"`) {
			t.Errorf("%s was told %v", a.name, a.err)
		}
		s.ask(ctx, "immediate", wire.ReadVersionRequest{Tags: tagged.Tags, Priority: wire.PriorityImmediate})
		s.ask(ctx, "untagged", wire.ReadVersionRequest{})
		s.expect(t, "at once", "immediate", "untagged")
		pass(time.Second / 2)
		s.expect(t, "after half a second", "second")
		limit(wire.TagThrottle{Tag: "busy", StartsPerSecond: 1000, Until: time.Now().Add(time.Minute)})
		pass(2 * holdCheck) // one to hear of it, one to be let go
		s.expect(t, "with a higher limit", "third")
		limit(wire.TagThrottle{Tag: "busy"})
		s.ask(ctx, "none", tagged)
		if a := <-s.answers; a.name != "none" || !errors.Is(a.err, wire.ErrTagThrottled) {
			t.Errorf("%s was told %v under a limit of none", a.name, a.err)
		}
		got := s.Stats()
		if got.RefusedTag != 2 || got.ThrottledTags != 1 || len(got.Tags) != 2 || got.Tags[0] != (TagStarts{Tag: "busy", Starts: 5}) {
			t.Errorf("stats %+v", got)
		}
	})
}
