package kv_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
)

// recorder is a tracer that keeps its spans.
type recorder struct {
	mu    sync.Mutex
	spans []*recorded
	// unsampled makes it record nothing.
	unsampled bool
}

// recorded is a span. It is guarded by the mutex of its recorder.
type recorded struct {
	recorder *recorder
	parent   *recorded
	name     string
	ends     int
	err      error
	notes    []string // attributes and events
}

type spanKey struct{}

func (r *recorder) Start(ctx context.Context, name string) (context.Context, kv.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &recorded{recorder: r, name: name}
	s.parent, _ = ctx.Value(spanKey{}).(*recorded)
	r.spans = append(r.spans, s)
	if r.unsampled {
		return ctx, nil
	}
	return context.WithValue(ctx, spanKey{}, s), s
}

func (s *recorded) note(event string, attributes []slog.Attr) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	for _, a := range attributes {
		s.notes = append(s.notes, event+strings.TrimPrefix(a.String(), "plinth."))
	}
	if len(attributes) == 0 {
		s.notes = append(s.notes, event)
	}
}

func (s *recorded) Set(attributes ...slog.Attr)                { s.note("", attributes) }
func (s *recorded) Event(name string, attributes ...slog.Attr) { s.note(name+" ", attributes) }

func (s *recorded) End(err error) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.ends++
	s.err = err
}

// named returns the one span of this name, or nil.
func (r *recorder) named(name string) *recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.IndexFunc(r.spans, func(s *recorded) bool { return s.name == name }); i >= 0 {
		return r.spans[i]
	}
	return nil
}

func (s *recorded) mustHave(t *testing.T, notes ...string) {
	t.Helper()
	for _, note := range notes {
		if s == nil || !slices.Contains(s.notes, note) {
			t.Errorf("%q is not there: %+v", note, s)
		}
	}
}

func TestATransactionLeavesSpans(t *testing.T) {
	r := &recorder{}
	db, store := open(t, kv.WithTracer(r))
	other := kv.NewDatabase(store) // leaves none
	defer other.Close()
	caller := &recorded{name: "caller"}
	runs, read := 0, kv.Version(0)
	tx := must(kv.Transact(context.WithValue(background, spanKey{}, caller), db, func(tx *kv.Transaction) (*kv.Transaction, error) {
		runs++
		tx.Get([]byte("a"))
		must(tx.Get([]byte("k")).Wait())(t)
		must(tx.GetKey(kv.LastLessThan([]byte("k"))).Wait())(t)
		if runs == 1 {
			set(t, other, "k", "12345")
		}
		must(tx.Range(kv.AllKeys(), kv.RangeOptions{}).Slice())(t)
		tx.Set([]byte("mine"), []byte("v"))
		tx.Clear([]byte("yours"))
		read = must(tx.ReadVersion())(t)
		return tx, nil
	}))(t)
	committed := must(tx.CommittedVersion())(t)
	whole := r.named("plinth.transaction")
	whole.mustHave(t, "attempts=2", "plinth.retry error=1020", "mutations=2", fmt.Sprintf("commit_version=%d", committed), fmt.Sprintf("read_version=%d", read))
	if whole.parent != caller || whole.err != nil {
		t.Errorf("below %v, ended with %v", whole.parent, whole.err)
	}
	names := map[string]int{}
	for _, s := range r.spans {
		names[s.name]++
		if s.ends != 1 || s != whole && s.parent != whole {
			t.Errorf("span %q ended %d times, below %v", s.name, s.ends, s.parent)
		}
	}
	if want := "map[plinth.commit:2 plinth.get:2 plinth.get_key:2 plinth.get_range:2 plinth.read_version:2 plinth.transaction:1]"; fmt.Sprint(names) != want {
		t.Errorf("spans %v, want %v", names, want)
	}
	r.named("plinth.get").mustHave(t, "keys=2", "bytes=0")
	r.named("plinth.get_range").mustHave(t, "rows=0")
	r.named("plinth.commit").mustHave(t, "error=1020")
}

func TestAFailedTransactionLeavesTheNumberOfItsError(t *testing.T) {
	r := &recorder{}
	db, store := open(t, kv.WithTracer(r))
	store.Hook = hookOn("GetValues", func(context.Context) error { return kv.ErrIO })
	_, err := kv.ReadTransact(background, db, func(r kv.Reader) ([]byte, error) { return r.Get([]byte("k")).Wait() })
	mustBe(t, err, kv.ErrIO)
	for _, name := range []string{"plinth.transaction", "plinth.get"} {
		s := r.named(name)
		s.mustHave(t, "error=1510")
		mustBe(t, s.err, kv.ErrIO)
	}
	store.Hook = nil
	r.spans = nil
	store.AfterCommit = loseFirst(1)
	set(t, db, "k", "v")
	r.named("plinth.transaction").mustHave(t, "plinth.lost_answer ", "attempts=1")
}

func TestNothingIsBegunBelowASpanThatNobodyRecords(t *testing.T) {
	r := &recorder{unsampled: true}
	db, _ := open(t, kv.WithTracer(r))
	set(t, db, "k", "v")
	get(t, db, "k")
	if len(r.spans) != 2 || r.spans[0].name != "plinth.transaction" || r.spans[1].name != "plinth.transaction" {
		t.Errorf("%d spans", len(r.spans))
	}
}

// Ten reads take 15 pieces of memory, as many as before there were statistics and
// traces.
func TestWithoutATracerReadsAllocateNothingMore(t *testing.T) {
	db := kv.NewDatabase(newNothing())
	defer db.Close()
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	var keys [10][]byte
	for i := range keys {
		keys[i] = []byte{byte(i)}
	}
	n := testing.AllocsPerRun(100, func() {
		_, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (int, error) {
			var futures [10]kv.Future[[]byte]
			for i, key := range keys {
				futures[i] = tx.Get(key)
			}
			for _, f := range futures {
				if _, err := f.Wait(); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if n > 15 {
		t.Errorf("%v allocations", n)
	}
}
