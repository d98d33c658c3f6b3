package kv_test

import (
	"bytes"
	"fmt"

	"github.com/plinthdb/plinth/internal/sim/oracle"
	"github.com/plinthdb/plinth/internal/wire"
	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// write is a mutation, and how a transaction is told to do it.
type write struct {
	text     string
	mutation wire.Mutation
	issue    func(*kv.Transaction)
}

// apply does the write to what a transaction sees that has not read yet.
func (w *write) apply(rows *oracle.Rows) { rows.Apply(w.mutation, 0) }

// read is one read, as a transaction does it and as it ought to come out.
// Outcomes are compared as text.
type read struct {
	text   string
	expect func(*oracle.Rows) string
	// depends is all that the read looks at, if that is more than its outcome.
	depends func(*oracle.Rows) string
	// issue begins the read; the function that it returns waits for it.
	issue func(kv.Reader) func() string
}

const unreadableText = "unreadable"

// getText is the outcome of Get.
func getText(rows *oracle.Rows, key string) string {
	value, err := rows.Get(key)
	if err != nil {
		return errorText(err)
	}
	return valueText(value)
}

func valueText(value []byte) string {
	if value == nil {
		return "absent"
	}
	return fmt.Sprintf("%q", value)
}

func rowsText(rows []kv.KeyValue, err error) string {
	var b bytes.Buffer
	for _, row := range rows {
		fmt.Fprintf(&b, "%q=%q ", row.Key, row.Value)
	}
	if err != nil {
		b.WriteString(errorText(err))
	}
	return b.String()
}

// passedText is all that a selector depends on: conflicts know no keys without
// their values.
func passedText(rows *oracle.Rows, s kv.KeySelector) string {
	passed, _, _, _ := rows.Passed(s)
	return rowsText(passed, nil)
}

// load makes a store that holds rows.
func load(rows map[string]string) *model.Store {
	store := model.New()
	commit := &wire.CommitRequest{}
	for key, value := range rows {
		commit.Mutations = wire.AppendMutation(commit.Mutations, wire.Mutation{Param1: []byte(key), Param2: []byte(value)})
	}
	if _, err := store.Commit(background, commit); err != nil {
		panic(err)
	}
	return store
}
