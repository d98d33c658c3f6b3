package bulk_test

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// tester is a testing.TB or a *rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var background = context.Background()

// load makes a store that holds rows.
func load(t tester, rows []kv.KeyValue) *model.Store {
	t.Helper()
	store := model.New()
	var mutations []byte
	for _, row := range rows {
		mutations = wire.AppendMutation(mutations, wire.Mutation{Type: wire.SetValue, Param1: row.Key, Param2: row.Value})
	}
	_, err := store.Commit(background, &wire.CommitRequest{Mutations: mutations})
	must(t, err)
	return store
}

// numbered returns n rows whose keys are sorted.
func numbered(n int) (rows []kv.KeyValue) {
	for i := range n {
		rows = append(rows, kv.KeyValue{Key: fmt.Appendf(nil, "key %06d", i), Value: fmt.Appendf(nil, "value %d", i)})
	}
	return rows
}

// each gives rows without an error.
func each[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// text shows rows.
func text(rows []kv.KeyValue) string {
	var out []string
	for _, row := range rows {
		out = append(out, fmt.Sprintf("%q=%q", row.Key, row.Value))
	}
	return fmt.Sprint(out)
}

// sorted returns rows in the order of their keys.
func sorted(rows []kv.KeyValue) []kv.KeyValue {
	return slices.SortedFunc(slices.Values(rows), func(a, b kv.KeyValue) int { return slices.Compare(a.Key, b.Key) })
}
