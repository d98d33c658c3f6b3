package model_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// TestEveryVersionCanBeReadAsItWas checks M1 and M3: after random commits, each
// version still shows the plain map that was copied when it was new.
func TestEveryVersionCanBeReadAsItWas(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		store := model.New()
		rows := map[string]string{}
		history := map[wire.Version]map[string]string{}
		last := wire.Version(0)
		for range rapid.IntRange(1, 8).Draw(t, "commits") {
			request := &wire.CommitRequest{}
			for range rapid.IntRange(1, 5).Draw(t, "mutations") {
				key, other := drawKey(t), drawKey(t)
				m := wire.Mutation{Type: wire.SetValue, Param1: []byte(key), Param2: []byte(other)}
				if rapid.Bool().Draw(t, "clear") {
					m.Type = wire.ClearRange
					maps.DeleteFunc(rows, func(k, _ string) bool { return key <= k && k < other })
				} else {
					rows[key] = other
				}
				request.Mutations = wire.AppendMutation(request.Mutations, m)
			}
			reply, err := store.Commit(ctx, request)
			if err != nil || reply.Version <= last {
				t.Fatalf("version %d after %d, error %v", reply.Version, last, err)
			}
			last = reply.Version
			if read, err := store.ReadVersion(ctx, wire.ReadVersionRequest{}); err != nil || read.Version < last {
				t.Fatalf("read version %d after commit %d, error %v", read.Version, last, err)
			}
			history[last] = maps.Clone(rows)
		}
		for version, want := range history {
			reply, err := store.GetRange(ctx, &wire.GetRangeRequest{Version: version, End: []byte{0xff}})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(pairs(reply.Rows)); got != fmt.Sprint(sorted(want)) {
				t.Fatalf("version %d: %s, want %s", version, got, sorted(want))
			}
		}
	})
}

func drawKey(t *rapid.T) string { return rapid.StringMatching(`[abc]{0,2}`).Draw(t, "key") }

func pairs(rows []wire.KeyValue) (out []string) {
	for _, row := range rows {
		out = append(out, fmt.Sprintf("%s=%s", row.Key, row.Value))
	}
	return out
}

func sorted(rows map[string]string) (out []string) {
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, key+"="+rows[key])
	}
	return out
}

// TestACommitIsRefusedIfWhatItReadWasWritten checks M2.
func TestACommitIsRefusedIfWhatItReadWasWritten(t *testing.T) {
	ctx := context.Background()
	store := model.New()
	before, err := store.ReadVersion(ctx, wire.ReadVersionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	k, l := wire.SingleKey([]byte("k")), wire.SingleKey([]byte("l"))
	if _, err := store.Commit(ctx, &wire.CommitRequest{WriteConflicts: []wire.KeyRange{k}}); err != nil {
		t.Fatal(err)
	}
	request := &wire.CommitRequest{
		ReadVersion:     before.Version,
		ReadConflicts:   []wire.KeyRange{l, {Begin: []byte("a"), End: []byte("kk")}},
		ReportConflicts: true,
	}
	_, err = store.Commit(ctx, request)
	var conflict *wire.ConflictError
	if !errors.As(err, &conflict) || len(conflict.Ranges) != 1 || string(conflict.Ranges[0].Begin) != "a" {
		t.Fatalf("error %v", err)
	}
	request.ReadConflicts = request.ReadConflicts[:1]
	if _, err := store.Commit(ctx, request); err != nil {
		t.Fatal(err)
	}
}
