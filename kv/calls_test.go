package kv_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/internal/model"
)

// lines is a log that keeps what was written, and below which span.
type lines struct {
	mu     sync.Mutex
	byName map[string]*recorded // the span of the last line of each name
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byName[r.Message], _ = ctx.Value(spanKey{}).(*recorded)
	return nil
}

// observedCall is a call of the client, by name, and what it is to leave behind.
type observedCall struct {
	do    func(w *observedWorld) error
	spans string // names without "plinth.", in order
	lines string // of the log, in order
}

// observedWorld is what a call works on.
type observedWorld struct {
	ctx   context.Context
	db    *kv.Database
	store *model.Store
	tx    *kv.Transaction
	other *kv.Database // nobody looks on
}

func newObservedWorld(t *testing.T, ctx context.Context, db *kv.Database, store *model.Store) *observedWorld {
	t.Helper()
	w := &observedWorld{ctx: ctx, db: db, store: store, other: kv.NewDatabase(store), tx: db.Begin(ctx)}
	t.Cleanup(func() {
		w.tx.Cancel()
		if err := w.other.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, key := range []string{"k", "\x02index\x00\x02k\x00"} {
		if err := w.write(key, "v"); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// write commits a value to the store, unobserved.
func (w *observedWorld) write(key, value string) error {
	_, err := kv.Transact(background, w.other, func(tx *kv.Transaction) (int, error) {
		tx.Set([]byte(key), []byte(value))
		return 0, nil
	})
	return err
}

func second[T any](_ T, err error) error { return err }

// observedCalls are all calls that ask the store something.
func observedCalls() map[string]observedCall {
	all := kv.AllKeys()
	read := map[string]struct {
		do           func(r kv.Reader) error
		spans, lines string
	}{
		"Get":    {func(r kv.Reader) error { return second(r.Get([]byte("k")).Wait()) }, "get read_version", "get, read version"},
		"GetKey": {func(r kv.Reader) error { return second(r.GetKey(kv.LastLessThan([]byte("z"))).Wait()) }, "get_key read_version", "get key, read version"},
		"Range": {func(r kv.Reader) error { return second(r.Range(all, kv.RangeOptions{}).Slice()) },
			"get_range read_version", "get range, read version"},
		"RangeSelectors": {func(r kv.Reader) error {
			return second(r.RangeSelectors(kv.LastLessThan([]byte("k")), kv.FirstGreaterOrEqual([]byte("l")), kv.RangeOptions{}).Slice())
		}, "get_key get_range read_version", "get key, get range, read version"},
		"ReadVersion": {func(r kv.Reader) error { return second(r.ReadVersion()) }, "read_version", "read version"},
	}
	calls := map[string]observedCall{
		"Transaction.EstimateRangeBytes": {func(w *observedWorld) error { return second(w.tx.EstimateRangeBytes(all).Wait()) }, "estimate_bytes", "estimate range bytes"},
		"Transaction.SplitPoints":        {func(w *observedWorld) error { return second(w.tx.SplitPoints(all, 1).Wait()) }, "split_points", "split points"},
		"Transaction.AddressesForKey":    {func(w *observedWorld) error { return second(w.tx.AddressesForKey([]byte("k")).Wait()) }, "locate", "locate"},
		"Transaction.Commit":             {commitOne, "commit read_version", "commit, mutation, read version"},
		"Transaction.Commit, answer lost": {func(w *observedWorld) error {
			w.store.AfterCommit = loseFirst(1)
			return commitOne(w)
		}, "commit get get_range read_version settle", "commit, get, get range, lost answer, mutation, read version, settled"},
		"Transaction.OnError": {func(w *observedWorld) error { return w.tx.OnError(kv.ErrNotCommitted) }, "", "retry"},
		"Transaction.Watch": {func(w *observedWorld) error {
			watch := w.tx.Watch([]byte("k"))
			if err := errors.Join(w.tx.Commit(), w.write("k", "changed")); err != nil {
				return err
			}
			return watch.Wait(w.ctx)
		}, "get read_version watch", "get, read version, watch answered, watch armed, watch ended"},
		"Transaction.Watch, cancelled": {func(w *observedWorld) error {
			w.tx.Watch([]byte("k"))
			w.tx.Cancel()
			return nil
		}, "", "watch ended"},
		"Database.BoundaryKeys": {func(w *observedWorld) error { return second(w.db.BoundaryKeys(w.ctx, all, 0)) }, "locate", "locate"},
		"MapRange": {func(w *observedWorld) error {
			for _, err := range kv.MapRange(w.tx, w.tx.Range(kv.PrefixRange([]byte("\x02index")), kv.RangeOptions{}), []byte("\x02k\x00")) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "get get_range read_version", "get, get range, read version"},
		"RangeResult.All": {func(w *observedWorld) error {
			for _, err := range w.tx.Range(all, kv.RangeOptions{}).All() {
				return err
			}
			return errors.New("no row")
		}, "get_range read_version", "get range, read version"},
		"Transact": {func(w *observedWorld) error {
			return second(kv.Transact(w.ctx, w.db, func(tx *kv.Transaction) (int, error) { tx.Set([]byte("k"), nil); return 0, nil }))
		}, "commit read_version", "commit, mutation, read version"},
		"ReadTransact": {func(w *observedWorld) error {
			return second(kv.ReadTransact(w.ctx, w.db, func(r kv.Reader) ([]byte, error) { return r.Get([]byte("k")).Wait() }))
		}, "get read_version", "get, read version"},
		"LockDatabase":   {func(w *observedWorld) error { return kv.LockDatabase(w.ctx, w.db, kv.LockID{1}) }, "commit get read_version", "commit, get, mutation, read version"},
		"UnlockDatabase": {func(w *observedWorld) error { return kv.UnlockDatabase(w.ctx, w.db, kv.LockID{1}) }, "get read_version", "get, read version"},
		"ThrottleTag": {func(w *observedWorld) error {
			return kv.ThrottleTag(w.ctx, w.db, kv.TagThrottle{Tag: "tag", StartsPerSecond: 1})
		}, "commit get_range read_version", "commit, get range, mutation, read version"},
		"UnthrottleTag": {func(w *observedWorld) error { return second(kv.UnthrottleTag(w.ctx, w.db, "tag")) }, "get_range read_version", "get range, read version"},
		"ThrottledTags": {func(w *observedWorld) error { return second(kv.ThrottledTags(w.ctx, w.db)) }, "get_range read_version", "get range, read version"},
		"a special key of the status": {func(w *observedWorld) error { return second(w.tx.Get([]byte("\xff\xff/status/json")).Wait()) },
			"get read_version status", "get, read version, status"},
		"special keys of the metrics": {func(w *observedWorld) error {
			return second(w.tx.Range(kv.PrefixRange([]byte("\xff\xff/metrics/data_distribution_stats/")), kv.RangeOptions{}).Slice())
		}, "estimate_bytes locate", "estimate range bytes, locate"},
	}
	calls["RangeResult.Slice"] = observedCall{func(w *observedWorld) error { return read["Range"].do(w.tx) }, read["Range"].spans, read["Range"].lines}
	calls["SliceOf"] = observedCall{func(w *observedWorld) error { return second(kv.SliceOf(w.tx.Range(all, kv.RangeOptions{}), keyOf)) }, read["Range"].spans, read["Range"].lines}
	for name, r := range read {
		calls["Transaction."+name] = observedCall{func(w *observedWorld) error { return r.do(w.tx) }, r.spans, r.lines}
		calls["snapshot."+name] = observedCall{func(w *observedWorld) error { return r.do(w.tx.Snapshot()) }, r.spans, r.lines}
	}
	return calls
}

func commitOne(w *observedWorld) error {
	w.tx.Set([]byte("k"), []byte("mine"))
	return w.tx.Commit()
}

// askNothing are the calls that send nothing: those that only note something for
// the commit, those that tell what is known, and waits for what others sent.
func askNothing() []string {
	return strings.Fields(`
		Transaction.Set Transaction.Clear Transaction.ClearRange Transaction.ClearRangeWithoutConflict Transaction.Atomic
		Transaction.Add Transaction.BitAnd Transaction.BitOr Transaction.BitXor Transaction.AppendIfFits Transaction.Max Transaction.Min
		Transaction.ByteMin Transaction.ByteMax Transaction.CompareAndClear
		Transaction.SetVersionstampedKey Transaction.SetVersionstampedValue
		Transaction.AddReadConflictKey Transaction.AddReadConflictRange Transaction.AddWriteConflictKey Transaction.AddWriteConflictRange
		Transaction.NextWriteWithoutConflict Transaction.SetReadVersion Transaction.SetOptions Transaction.OnCommit
		Transaction.Snapshot Transaction.Exclusively Transaction.Reset Transaction.Cancel snapshot.Snapshot
		RangeResult.WithLimitBytes
		Transaction.ApproximateSize Transaction.CommittedVersion Transaction.ConflictingKeys Transaction.Versionstamp
		Database.Begin Database.Close Database.Stats Database.SetMaxWatches
		Watch.Wait Watch.Done Watch.Err Watch.Cancel`)
}

// exportedCalls returns the exported methods of what reads and writes, and the
// functions that are given such a thing.
func exportedCalls(t *testing.T) (names []string) {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	nameOf := func(field *ast.Field) string {
		e := field.Type
		if star, ok := e.(*ast.StarExpr); ok {
			e = star.X
		}
		if id, ok := e.(*ast.Ident); ok {
			return id.Name
		}
		return ""
	}
	things := []string{"Transaction", "Database", "RangeResult", "Watch", "Reader", "snapshot"}
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || !f.Name.IsExported():
			case f.Recv != nil && slices.Contains(things, nameOf(f.Recv.List[0])):
				names = append(names, nameOf(f.Recv.List[0])+"."+f.Name.Name)
			case f.Recv == nil && slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool { return slices.Contains(things, nameOf(p)) }):
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// K16, and that a call added later is either in the table or said to send nothing.
func TestEveryCallOfTheStoreLeavesASpanAndALine(t *testing.T) {
	table, silent := observedCalls(), askNothing()
	found := exportedCalls(t)
	for _, name := range found {
		if _, ok := table[name]; ok == slices.Contains(silent, name) {
			t.Errorf("%s has to be either among the observed calls or among those that send nothing", name)
		}
	}
	for _, name := range silent {
		if !slices.Contains(found, name) {
			t.Errorf("there is no %s", name)
		}
	}
	for name, c := range table {
		t.Run(name, func(t *testing.T) { c.check(t) })
	}
}

// check makes the call and compares what it left. All lines are written below a
// span.
func (c *observedCall) check(t *testing.T) {
	r, log := &recorder{}, &lines{byName: map[string]*recorded{}}
	db, store := open(t, kv.WithTracer(r), kv.WithLogger(slog.New(log)),
		kv.WithTransactionDefaults(kv.WithDebugID("observed"), kv.WithTransactionLog(true), kv.WithExactlyOnce(true), kv.WithReadAhead(false)))
	w := newObservedWorld(t, background, db, store)
	if err := c.do(w); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // the watch has ended
		t.Fatal(err)
	}
	spans := map[string]bool{}
	for _, s := range r.spans {
		if name := strings.TrimPrefix(s.name, "plinth."); name != "transaction" {
			spans[name] = true
			if s.ends != 1 {
				t.Errorf("span %s ended %d times", s.name, s.ends)
			}
		}
	}
	if got := strings.Join(slices.Sorted(maps.Keys(spans)), " "); got != c.spans {
		t.Errorf("spans %q, want %q", got, c.spans)
	}
	if got := strings.Join(slices.Sorted(maps.Keys(log.byName)), ", "); got != c.lines {
		t.Errorf("lines %q, want %q", got, c.lines)
	}
	for line, span := range log.byName {
		if span == nil {
			t.Errorf("line %q is below no span", line)
		}
	}
}

func TestTheBackEndIsCalledInOnePlaceOnly(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	called := 0
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`.*\bbackend\.[A-Z].*`).FindAllString(string(text), -1) {
			if called++; path != "calls.go" {
				t.Errorf("%s: %s", path, call)
			}
		}
	}
	if called < 9 {
		t.Errorf("only %d calls were found", called)
	}
}

// The span of a watch outlives that of its transaction, and is below it.
func TestAWatchIsASpanBelowItsTransaction(t *testing.T) {
	r := &recorder{}
	db, _ := open(t, kv.WithTracer(r))
	w := watch(t, db, "k", nil)
	whole := r.named("plinth.transaction")
	set(t, db, "k", "changed")
	if err := w.Wait(background); err != nil {
		t.Fatal(err)
	}
	if span := r.named("plinth.watch"); span == nil || span.parent != whole || span.ends != 1 {
		t.Errorf("%+v", span)
	}
	closed := watch(t, db, "k", nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	mustBe(t, closed.Err(), kv.ErrDatabaseClosed)
}

// The log costs who does not write it nothing, although the database has a logger.
func TestWithoutALogNothingIsAllocatedForIt(t *testing.T) {
	run := func(options ...kv.DatabaseOption) float64 {
		db := kv.NewDatabase(newNothing(), options...)
		defer db.Close()
		return testing.AllocsPerRun(100, func() {
			_, err := kv.Transact(background, db, func(tx *kv.Transaction) (int, error) {
				if _, err := tx.Get([]byte("k")).Wait(); err != nil {
					return 0, err
				}
				if _, err := tx.GetKey(kv.LastLessThan([]byte("k"))).Wait(); err != nil {
					return 0, err
				}
				tx.Set([]byte("k"), nil)
				return 0, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	if with, without := run(kv.WithLogger(slog.New(&lines{}))), run(); with != without {
		t.Errorf("%v allocations, %v without a logger", with, without)
	}
}

// What the lines about answers say.
func TestTheLogShowsTheAnswersOfTheStore(t *testing.T) {
	var out strings.Builder
	db, store := open(t, kv.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	set(t, db, "a", "stored")
	tx := db.Begin(background, kv.WithDebugID("answers"), kv.WithTransactionLog(true), kv.WithExactlyOnce(true))
	defer tx.Cancel()
	must(tx.GetKey(kv.LastLessThan([]byte("b"))).Wait())(t)
	must(tx.EstimateRangeBytes(kv.AllKeys()).Wait())(t)
	w := tx.Watch([]byte("a"))
	tx.Set([]byte("b"), nil)
	store.AfterCommit = loseFirst(1)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Cancel()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	version := must(tx.CommittedVersion())(t)
	for _, want := range []string{
		`msg="get key" transaction=answers selector=b or_equal=false offset=0 key=a error=<nil>`,
		`msg="estimate range bytes" transaction=answers begin="" end=\xff bytes=7 error=<nil>`,
		`msg="lost answer" transaction=answers error=`,
		fmt.Sprintf(`msg=settled transaction=answers version=%d error=<nil>`, version),
		`msg="watch ended" transaction=answers key=a fired=false error=`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
}
