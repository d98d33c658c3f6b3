package workload

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plinthdb/plinth/internal/sim/history"
	"github.com/plinthdb/plinth/kv"
)

// maxHistoryBytes bounds the encoded history that a report carries.
const maxHistoryBytes = 16 << 20

// recorder records what the clients of a workload do, in windows: when a window
// is large enough it waits until nobody is under way, reads everything, has the
// history checked, and begins the next window on other keys, which are all
// absent. So the history that is kept, and what a check costs, is bounded.
//
// A key is the window's prefix and the name that the history knows it by.
// Beside them each window has a journal: a transaction that writes may leave
// its versionstamp there under its number, so that the end of the window tells
// what became of one whose outcome was unknown.
type recorder struct {
	env *Env
	// limit is the number of transactions after which a window is closed.
	limit int
	// check says what is wrong with the history of a window.
	check func(h *history.History) error
	// journal is the invariant that the journal's content is about, journaled
	// the part of the transactions that leave an entry.
	journal   string
	journaled float64

	// gate is held for reading by everybody who is under way in a window, and
	// for writing to close it.
	gate   sync.RWMutex
	window int // guarded by gate
	ended  bool

	// final is the history that the report shows, once that is decided: the one
	// that a check has found wrong, or the last of all. closed is that of the
	// last window that was closed.
	final, closed atomic.Pointer[history.History]

	mu struct {
		sync.Mutex
		began   time.Time
		history history.History
		// numbers are those of the transactions of history, by which the journal
		// knows them; 0 has no entry there.
		numbers []uint64
		next    uint64
	}
}

func newRecorder(env *Env, limit int, journal string, check func(h *history.History) error) *recorder {
	r := &recorder{env: env, limit: limit, check: check, journal: journal, journaled: 0.75}
	r.mu.began = time.Now()
	env.world.Record(env.name, r.handOver)
	return r
}

// handOver returns what the report shows, however the run has ended: the history
// that is wrong, else what the window that is open holds so far, else that of
// the last one.
func (r *recorder) handOver() (json.RawMessage, error) {
	h := r.final.Load()
	if h == nil {
		r.mu.Lock()
		h = &history.History{Transactions: slices.Clone(r.mu.history.Transactions)}
		r.mu.Unlock()
	}
	if closed := r.closed.Load(); len(h.Transactions) == 0 && closed != nil {
		h = closed
	}
	data, err := h.Encode()
	if err == nil && len(data) > maxHistoryBytes {
		err = fmt.Errorf("its %d bytes are more than the %d of a report", len(data), maxHistoryBytes)
	}
	return data, err
}

// fresh returns a number that nobody else gets: for a value that must be
// unique, or for an entry of the journal.
func (r *recorder) fresh() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.next++
	return r.mu.next
}

// nanos is a time in a history.
func (r *recorder) nanos(t time.Time) int64 { return int64(t.Sub(r.mu.began)) }

func (r *recorder) key(window int, name string) []byte { return r.env.Key("w%06d/%s", window, name) }

// windowKeys is the range of all keys of the windows from first to last-1.
func (r *recorder) windowKeys(first, last int) kv.KeyRange {
	return kv.KeyRange{Begin: r.key(first, ""), End: r.key(last, "")}
}

// recorded is a transaction whose operations are recorded.
type recorded struct {
	*recorder
	tx     *kv.Transaction
	client *Client
	window int
	ops    []history.Op
	read   kv.Version
	stamp  kv.Future[kv.Stamp]
	number uint64
	began  time.Time
}

// try runs f in one transaction, as Client.Try does, and records it.
func (r *recorder) try(ctx context.Context, c *Client, f func(t *recorded) error) error {
	r.gate.RLock()
	defer r.gate.RUnlock()
	t := &recorded{recorder: r, client: c, window: r.window}
	outcome, err := c.Try(ctx, func(tx *kv.Transaction) error {
		t.tx, t.stamp, t.began = tx, tx.Versionstamp(), c.began
		if err := f(t); err != nil {
			return err
		}
		t.conclude()
		return nil
	})
	if t.tx != nil {
		r.note(t.transaction(outcome), t.number)
	}
	return err
}

// do is try by Client.Do. Each run of a transaction that Transact runs again is
// one of the history: it was not committed, or nobody knows if the process has
// died.
func (r *recorder) do(ctx context.Context, c *Client, f func(t *recorded) error) error {
	r.gate.RLock()
	defer r.gate.RUnlock()
	var t *recorded
	outcome, err := c.Do(ctx, func(tx *kv.Transaction) error {
		if t != nil {
			r.noteRun(t)
		}
		t = &recorded{recorder: r, client: c, window: r.window, tx: tx, stamp: tx.Versionstamp(), began: c.began}
		if err := f(t); err != nil {
			return err
		}
		t.conclude()
		return nil
	})
	if t != nil {
		r.note(t.transaction(outcome), t.number)
	}
	return err
}

// noteRun notes a run after which there is another one.
func (r *recorder) noteRun(t *recorded) {
	outcome := Aborted
	if t.client.inc.Dead() {
		outcome = Unknown
	}
	h := t.transaction(outcome)
	h.End = t.nanos(t.client.began) // when the next run began
	r.note(h, t.number)
}

// conclude ends a transaction before its commit: it writes the journal.
func (t *recorded) conclude() {
	if !t.writes() {
		return
	}
	rng := t.client.Rand()
	if rng.Float64() < t.journaled {
		t.number = t.fresh()
		value := binary.LittleEndian.AppendUint32(make([]byte, len(kv.Stamp{})), 0)
		t.tx.SetVersionstampedValue(t.key(t.window, fmt.Sprintf("journal/%d", t.number)), value)
	}
	// Now and then somebody clears what windows before this one left.
	if t.window > 0 && rng.IntN(20) == 0 {
		t.tx.ClearRange(t.windowKeys(0, t.window))
	}
}

func (t *recorded) writes() bool {
	return slices.ContainsFunc(t.ops, func(op history.Op) bool { return op.Kind.Writes() })
}

// settle runs a read, whose outcome counts only if the process lives (W1 of the
// world), and asks for its version, which the client library then knows.
func (t *recorded) settle(read func() error) (err error) {
	if err := read(); err != nil {
		return err
	}
	if t.read, err = t.tx.ReadVersion(); err != nil {
		return err
	}
	if t.client.inc.Dead() {
		return t.client.inc.Death()
	}
	return nil
}

// transaction is what goes into the history.
func (t *recorded) transaction(outcome Outcome) history.Transaction {
	h := history.Transaction{
		Client: t.client.ID(), Begin: t.nanos(t.began), End: t.nanos(time.Now()),
		ReadVersion: int64(t.read), Ops: t.ops,
	}
	switch outcome {
	case Aborted:
		h.Outcome = history.Aborted
	case Unknown:
		h.Outcome = history.Unknown
	case Committed:
		if stamp, err := t.stamp.Wait(); err == nil {
			h.CommitVersion, h.Order = splitStamp(stamp[:])
		}
	}
	return h
}

func splitStamp(stamp []byte) (version int64, order int) {
	return int64(binary.BigEndian.Uint64(stamp)), int(binary.BigEndian.Uint16(stamp[8:]))
}

func (r *recorder) note(t history.Transaction, number uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.history.Transactions = append(r.mu.history.Transactions, t)
	r.mu.numbers = append(r.mu.numbers, number)
}

// reader returns the transaction or its snapshot.
func (t *recorded) reader(snapshot bool) kv.Reader {
	if snapshot {
		return t.tx.Snapshot()
	}
	return t.tx
}

// get reads keys together.
func (t *recorded) get(snapshot bool, names ...string) error {
	reader := t.reader(snapshot)
	var futures []kv.Future[[]byte]
	for _, name := range names {
		futures = append(futures, reader.Get(t.key(t.window, name)))
	}
	for i, name := range names {
		var value []byte
		if err := t.settle(func() (err error) { value, err = futures[i].Wait(); return err }); err != nil {
			return err
		}
		t.ops = append(t.ops, history.Op{Kind: history.Read, Key: name, Value: string(value), Absent: value == nil, Snapshot: snapshot})
	}
	return nil
}

// getRange reads the rows from one key to another and records the part of the
// range that was covered.
func (t *recorded) getRange(snapshot bool, begin, end string, options kv.RangeOptions) error {
	var rows []kv.KeyValue
	r := kv.KeyRange{Begin: t.key(t.window, begin), End: t.key(t.window, end)}
	if err := t.settle(func() (err error) { rows, err = t.reader(snapshot).Range(r, options).Slice(); return err }); err != nil {
		return err
	}
	op := history.Op{Kind: history.ReadRange, Key: begin, End: end, Snapshot: snapshot}
	prefix := len(t.key(t.window, ""))
	for _, row := range rows {
		op.Rows = append(op.Rows, history.Row{Key: string(row.Key[prefix:]), Value: string(row.Value)})
	}
	n := len(op.Rows)
	switch {
	case n == 0 || n != options.Limit:
	case options.Reverse:
		op.Key = op.Rows[n-1].Key
	default:
		op.End = op.Rows[n-1].Key + "\x00"
	}
	if options.Reverse {
		slices.Reverse(op.Rows)
	}
	t.ops = append(t.ops, op)
	return nil
}

func (t *recorded) set(name, value string) {
	t.tx.Set(t.key(t.window, name), []byte(value))
	t.ops = append(t.ops, history.Op{Kind: history.Write, Key: name, Value: value})
}

func (t *recorded) clear(name string) {
	t.tx.Clear(t.key(t.window, name))
	t.ops = append(t.ops, history.Op{Kind: history.Clear, Key: name})
}

func (t *recorded) clearRange(begin, end string) {
	t.tx.ClearRange(kv.KeyRange{Begin: t.key(t.window, begin), End: t.key(t.window, end)})
	t.ops = append(t.ops, history.Op{Kind: history.ClearRange, Key: begin, End: end})
}

// run runs the clients; afterwards the last window is closed by audit.
func (r *recorder) run(ctx context.Context, step func(ctx context.Context, c *Client) error) error {
	defer func() {
		r.gate.Lock()
		defer r.gate.Unlock()
		r.ended = true
	}()
	return r.env.Clients(ctx, step)
}

// audit closes the window if it is large enough, and checks the last one, as
// often as it is asked to, once the clients have ended. observe turns the rows
// of the window into a read-only transaction's operations.
func (r *recorder) audit(ctx context.Context, observe func(rows []kv.KeyValue) ([]history.Op, error)) error {
	r.mu.Lock()
	size := len(r.mu.history.Transactions)
	r.mu.Unlock()
	r.gate.RLock()
	due := r.ended || size >= r.limit
	r.gate.RUnlock()
	if !due {
		return nil
	}
	r.gate.Lock()
	defer r.gate.Unlock()
	begin := time.Now()
	rows, version, err := r.env.ReadAll(ctx)
	if err != nil {
		return err
	}
	rows, stamps, err := r.split(rows)
	if err != nil {
		return err
	}
	ops, err := observe(rows)
	if err != nil {
		return err
	}
	r.note(history.Transaction{
		Client: r.env.clients, Begin: r.nanos(begin), End: r.nanos(time.Now()), ReadVersion: int64(version), Ops: ops,
	}, 0)
	h, err := r.resolve(stamps)
	if err != nil {
		return err
	}
	r.env.Trace("window %d closed with %d transactions v%d", r.window, len(h.Transactions), version)
	if err := r.check(h); err != nil {
		return err
	}
	if r.ended {
		r.final.Store(h)
	} else {
		r.closed.Store(h)
		r.window++
		r.mu.history, r.mu.numbers = history.History{}, nil
	}
	return nil
}

// split takes the rows of the window, without its prefix, apart from the
// stamps in its journal. Rows of windows before it are waiting to be cleared.
func (r *recorder) split(all []kv.KeyValue) (rows []kv.KeyValue, stamps map[uint64][]byte, err error) {
	stamps = make(map[uint64][]byte)
	prefix := r.key(r.window, "")
	for _, row := range all {
		name, ok := bytes.CutPrefix(row.Key, prefix)
		if !ok {
			continue
		}
		text, ok := strings.CutPrefix(string(name), "journal/")
		if !ok {
			rows = append(rows, kv.KeyValue{Key: name, Value: row.Value})
			continue
		}
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil || len(row.Value) != len(kv.Stamp{}) {
			return nil, nil, r.env.Violated(r.journal, "the journal holds %q = %x", row.Key, row.Value)
		}
		stamps[number] = row.Value
	}
	return rows, stamps, nil
}

// resolve returns the history with what the journal tells: an unknown outcome
// with an entry was committed; one that should have an entry and has none was
// not, as far as any read of this history goes.
func (r *recorder) resolve(stamps map[uint64][]byte) (*history.History, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &history.History{Transactions: append([]history.Transaction(nil), r.mu.history.Transactions...)}
	for n, number := range r.mu.numbers {
		t := &h.Transactions[n]
		if number == 0 {
			continue
		}
		stamp, found := stamps[number]
		delete(stamps, number)
		var version int64
		var order int
		if found {
			version, order = splitStamp(stamp)
		}
		switch {
		case t.Outcome == history.Unknown && found:
			t.CommitVersion, t.Order = version, order
		case t.Outcome == history.Unknown:
			t.Outcome = history.Aborted
		case found != (t.Outcome == history.Committed):
			return nil, r.violated(h, r.journal, "transaction %d of the history is %v, but in the journal: %v", n, t.Outcome, found)
		case found && (version != t.CommitVersion || order != t.Order):
			return nil, r.violated(h, r.journal, "transaction %d of the history has stamp %d.%d in the journal, but its commit returned %d.%d",
				n, version, order, t.CommitVersion, t.Order)
		}
	}
	if len(stamps) > 0 {
		return nil, r.violated(h, r.journal, "the journal holds %d entries of transactions that never ran", len(stamps))
	}
	return h, nil
}

// violated records that an invariant does not hold in h, which is what the
// report then shows.
func (r *recorder) violated(h *history.History, invariant, format string, args ...any) error {
	if r.env.world.Violation() == nil {
		r.final.Store(h)
	}
	return r.env.Violated(invariant, format, args...)
}

// strict is a check that finds what is not strictly serializable.
func (r *recorder) strict(invariant string, h *history.History) error {
	found, err := history.Check(h)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	return r.violated(h, invariant, "%v; %d findings in %d transactions", found[0], len(found), len(h.Transactions))
}
