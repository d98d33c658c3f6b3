package kv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// hooked returns a database whose commit hook appends to events.
func hooked(t *testing.T, options ...kv.DatabaseOption) (db *kv.Database, store *model.Store, events *[]kv.CommitEvent) {
	t.Helper()
	events = new([]kv.CommitEvent)
	db, store = open(t, append(options, kv.WithCommitHook(func(_ context.Context, e kv.CommitEvent) { *events = append(*events, e) }))...)
	return db, store, events
}

// mutationsText is what an event tells that was changed.
func mutationsText(e kv.CommitEvent) string {
	var b strings.Builder
	for m := range e.Mutations() {
		fmt.Fprintf(&b, "%d %q %q\n", m.Type, m.Key, m.Param)
	}
	return b.String()
}

func TestACommitHookHearsWhatWasCommitted(t *testing.T) {
	db, store, events := hooked(t)
	read := kv.Version(0)
	var stamp kv.Future[kv.Stamp]
	tx := must(kv.Transact(background, db, func(tx *kv.Transaction) (*kv.Transaction, error) {
		read = must(tx.ReadVersion())(t)
		tx.Set([]byte("a"), []byte("1"))
		tx.Clear([]byte("a"))
		tx.ClearRange(kv.KeyRange{Begin: []byte("b"), End: []byte("d")})
		tx.Add([]byte("c"), []byte{1})
		tx.SetVersionstampedKey(stampParam("key-", 4), []byte("v"))
		tx.SetVersionstampedValue([]byte("value"), stampParam("-at", 0))
		stamp = tx.Versionstamp()
		return tx, nil
	}, kv.WithDebugID("name"), kv.WithTag("tag")))(t)
	if len(*events) != 1 {
		t.Fatalf("%d events", len(*events))
	}
	e, s := (*events)[0], must(stamp.Wait())(t)
	if e.Version != must(tx.CommittedVersion())(t) || e.Stamp != s || e.ReadVersion != read || e.DebugID != "name" ||
		!slices.Equal(e.Tags, []string{"tag"}) || !e.HasVersionstamps {
		t.Errorf("%+v", e)
	}
	want := fmt.Sprintf("0 %q %q\n1 %q %q\n1 %q %q\n2 %q %q\n0 %q %q\n0 %q %q\n",
		"a", "1", "a", "a\x00", "b", "d", "c", "\x01", "key-"+string(s[:]), "v", "value", string(s[:])+"-at")
	if got := mutationsText(e); got != want {
		t.Errorf("it tells\n%s, want\n%s", got, want)
	}
	if got, want := fmt.Sprintf("%q", e.Written()), fmt.Sprintf("%q", []kv.KeyRange{
		kv.SingleKey([]byte("a")), {Begin: []byte("b"), End: []byte("d")}, kv.SingleKey([]byte("key-" + string(s[:]))), kv.SingleKey([]byte("value")),
	}); got != want {
		t.Errorf("written is %s, want %s", got, want)
	}
	// What an event gives is the caller's (K9).
	before := fmt.Sprintf("%q", store.Rows())
	for m := range e.Mutations() {
		for _, slice := range [][]byte{m.Key, m.Param} {
			copy(slice, bytes.Repeat([]byte{'!'}, len(slice)))
			_ = append(slice, "overflow"...)
		}
	}
	if got := mutationsText(e); got != want || fmt.Sprintf("%q", store.Rows()) != before {
		t.Errorf("after its slices were written to it tells\n%s, and stored is %q", got, store.Rows())
	}
	for range e.Mutations() {
		break
	}
}

func TestACommitHookHearsOfNothingElse(t *testing.T) {
	db, store, events := hooked(t, kv.WithTransactionDefaults(kv.WithMaxRetryDelay(0), kv.WithRetryLimit(1)))
	other := kv.NewDatabase(store)
	defer other.Close()
	own := errors.New("own")
	write := func(after func(tx *kv.Transaction) error, options ...kv.TransactionOption) error {
		_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
			must(tx.Get([]byte("k")).Wait())(t)
			tx.Set([]byte("k"), []byte("v"))
			return 0, after(tx)
		}, options...)
		return err
	}
	get(t, db, "k")        // only reads
	set(t, other, "k", "") // another handle
	must(kv.Transact(background, db, func(tx *kv.Transaction) ([]byte, error) { return tx.Get([]byte("k")).Wait() }))(t)
	mustBe(t, write(func(*kv.Transaction) error { return own }), own)
	mustBe(t, write(func(*kv.Transaction) error { set(t, other, "k", "theirs"); return nil }), kv.ErrNotCommitted)
	mustBe(t, write(func(tx *kv.Transaction) error { tx.Cancel(); return nil }), kv.ErrTransactionCancelled)
	store.AfterCommit = func(context.Context) error { return kv.ErrCommitUnknownResult }
	mustBe(t, write(func(*kv.Transaction) error { return nil }, kv.WithExactlyOnce(false)), kv.ErrCommitUnknownResult)
	if len(*events) != 0 {
		t.Fatalf("%d events", len(*events))
	}
	// Conflicts alone are a commit, without changes. Its answer is lost, and found.
	must(kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
		tx.AddWriteConflictKey([]byte("k"))
		return 0, nil
	}))(t)
	if len(*events) != 1 || mutationsText((*events)[0]) != "" || len((*events)[0].Written()) != 0 || (*events)[0].HasVersionstamps {
		t.Fatalf("%+v", *events)
	}
	_, err := kv.Transact(background, kv.NewDatabase(store, kv.WithCommitHook(nil)), func(*kv.Transaction) (int, error) { return 0, nil })
	mustBe(t, err, kv.ErrClientInvalidOperation)
}

// The order of calls, what they see, their context, and what becomes of a panic.
func TestCommitHooksComeBeforeThoseOfTheTransactionAndMayPanic(t *testing.T) {
	var order []string
	var db *kv.Database
	hook := func(name string) kv.DatabaseOption {
		return kv.WithCommitHook(func(ctx context.Context, e kv.CommitEvent) {
			order = append(order, fmt.Sprint(name, " ", get(t, db, "k"), " ", ctx.Value(spanKey{})))
			if name == "first" {
				panic("mine")
			}
		})
	}
	db, _ = open(t, hook("first"), hook("second"))
	func() {
		defer func() { order = append(order, fmt.Sprint(recover())) }()
		_, err := kv.Transact(context.WithValue(background, spanKey{}, "held"), db, func(tx *kv.Transaction) (int, error) {
			tx.OnCommit(func(kv.Version) { order = append(order, "own") })
			tx.Set([]byte("k"), []byte("v"))
			return 0, nil
		})
		t.Errorf("no panic, error %v", err)
	}()
	if want := []string{`first "v" held`, `second "v" held`, "own", "mine"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}

// A hook may commit a transaction of its own, of which it then hears.
func TestACommitHookMayBeginTransactions(t *testing.T) {
	var db *kv.Database
	var depth []int
	db, _ = open(t, kv.WithCommitHook(func(ctx context.Context, e kv.CommitEvent) {
		if depth = append(depth, len(depth)); len(depth) < 3 {
			set(t, db, "k", "from the hook")
		}
	}))
	set(t, db, "k", "v")
	if len(depth) != 3 || get(t, db, "k") != `"from the hook"` {
		t.Errorf("%d calls, value %s", len(depth), get(t, db, "k"))
	}
}

func TestMutationsApplyAsInTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		m         kv.Mutation
		old, want []byte
	}{
		"set":            {kv.Mutation{Type: kv.MutationSet, Param: []byte("v")}, nil, []byte("v")},
		"set to nothing": {kv.Mutation{Type: kv.MutationSet}, []byte("old"), []byte{}},
		"clear":          {kv.Mutation{Type: kv.MutationClearRange}, []byte("old"), nil},
		"add to nothing": {kv.Mutation{Type: kv.MutationAdd, Param: []byte{2}}, nil, []byte{2}},
		"add":            {kv.Mutation{Type: kv.MutationAdd, Param: []byte{2}}, []byte{3}, []byte{5}},
		"clear if equal": {kv.Mutation{Type: kv.MutationCompareAndClear, Param: []byte{3}}, []byte{3}, nil},
		"min of nothing": {kv.Mutation{Type: kv.MutationByteMin, Param: []byte{3}}, nil, []byte{3}},
	} {
		if got := c.m.Apply(c.old); !bytes.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: %#v, want %#v", name, got, c.want)
		}
	}
}

// replica is rows that are kept up to date from events alone.
type replica map[string]string

func (r replica) apply(events []kv.CommitEvent) {
	slices.SortFunc(events, func(a, b kv.CommitEvent) int { return bytes.Compare(a.Stamp[:], b.Stamp[:]) })
	for _, e := range events {
		for m := range e.Mutations() {
			if m.Type == kv.MutationClearRange {
				maps.DeleteFunc(r, func(key, _ string) bool { return m.Range().Contains([]byte(key)) })
				continue
			}
			var old []byte
			if value, ok := r[string(m.Key)]; ok {
				old = []byte(value)
			}
			if value := m.Apply(old); value != nil {
				r[string(m.Key)] = string(value)
			} else {
				delete(r, string(m.Key))
			}
		}
	}
}
